package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"

	fluxoci "github.com/fluxcd/pkg/oci"
	"github.com/fluxcd/pkg/sourceignore"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/crane"
)

// flux does with Flux's client what the flux CLI does with it: `flux push artifact`, `flux tag artifact`, `flux list
// artifacts` and `flux build artifact` (cmd/flux of fluxcd/flux2), a process each. `flux ls` is the first half of the list,
// which the CLI does not offer.
func flux(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: flux push|tag|ls|list|build")
	}
	ctx, verb, args := context.Background(), args[0], args[1:]
	client := fluxoci.NewClient([]crane.Option{crane.WithAuthFromKeychain(authn.DefaultKeychain), crane.Insecure})
	ignored := append(strings.Split(sourceignore.ExcludeVCS, ","), strings.Split(sourceignore.ExcludeExt, ",")...)
	switch verb {
	case "push": // REPO:TAG DIR REVISION SOURCE
		digest, err := client.Push(ctx, args[0], args[1], fluxoci.WithPushIgnorePaths(ignored...),
			fluxoci.WithPushMetadata(fluxoci.Metadata{Revision: args[2], Source: args[3]}))
		fmt.Println(digest)
		return err
	case "tag": // REPO:TAG TAG...
		for _, tag := range args[1:] {
			if _, err := client.Tag(ctx, args[0], tag); err != nil {
				return err
			}
		}
		return nil
	case "ls": // REPO
		tags, err := crane.ListTags(args[0], client.GetOptions()...)
		fmt.Println(strings.Join(tags, "\n"))
		return err
	case "list": // REPO
		list, err := client.List(ctx, args[0], fluxoci.ListOptions{})
		for _, m := range list {
			fmt.Println(m.URL[strings.LastIndex(m.URL, ":")+1:])
		}
		return err
	case "build": // DIR FILE
		return client.Build(args[1], args[0], ignored)
	}
	return fmt.Errorf("unknown verb %q", verb)
}
