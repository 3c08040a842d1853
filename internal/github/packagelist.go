package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/google/go-github/v60/github"
)

// PackageVersion is one manifest of a package: an artifact, an index, what an index names, a signature.
type PackageVersion struct {
	ID     int64 // what is pushed again after its deletion has another
	Digest string
	Tags   []string
	// Pushed is when GitHub first had the manifest, or a later time if it tells one; UTC. A tag that is written later
	// does not change it (docs/facts.md 40).
	Pushed time.Time
}

// maxVersionPages is how many pages of 100 versions are read.
const maxVersionPages = 200

// Versions are all versions that are not deleted, each once, the newest first as a rule. A list that cannot be read to its
// end is an error, and so are more than 20,000 versions, a version without a digest, and one of which the tags are not told.
//
// What happens while pages are read shifts the next ones. A push has a version come a second time, of which the later word
// counts; a deletion has one be left out. A version may also get or lose a tag behind the reader. So whoever deletes one asks
// for it afresh with Version, and takes what is not in the list for not known, never for not there.
func (p *Package) Versions(ctx context.Context) ([]PackageVersion, error) {
	const doing = "listing the versions"
	if err := p.locate(ctx); err != nil {
		return nil, err
	}
	var all []PackageVersion
	at := map[int64]int{} // by id, the place in all
	q := url.Values{"state": {"active"}, "per_page": {strconv.Itoa(perPage)}}
	for range maxVersionPages {
		page, next, err := listPage[*github.PackageVersion](ctx, p.client, "versions", q)
		if err != nil {
			return nil, p.fail(doing, err)
		}
		for _, listed := range page {
			v, err := readVersion(listed)
			if err != nil {
				return nil, p.fail(doing, err)
			}
			if i, known := at[v.ID]; known {
				all[i] = v
				continue
			}
			at[v.ID] = len(all)
			all = append(all, v)
		}
		if next == nil {
			return all, nil
		}
		q = next
	}
	return nil, fmt.Errorf("%s of package %s/%s: more than %d", doing, p.owner, p.name, perPage*maxVersionPages)
}

// Version is one version as it is now; false where it is gone. GitHub answers 404 to who may not read, too: that counts for
// gone only while the package's list is answered.
func (p *Package) Version(ctx context.Context, id int64) (v PackageVersion, there bool, err error) {
	if err := p.locate(ctx); err != nil {
		return PackageVersion{}, false, err
	}
	var one github.PackageVersion
	_, err = p.get(ctx, versionPath(id), nil, &one)
	if err == nil {
		v, err = readVersion(&one)
	}
	if err == nil && v.ID != id {
		err = fmt.Errorf("the answer is about version %d", v.ID)
	}
	if isMissing(err) {
		if _, _, err = listPage[*github.PackageVersion](ctx, p.client, "versions", url.Values{"per_page": {"1"}}); err == nil {
			return PackageVersion{}, false, nil
		}
	}
	if err != nil {
		return PackageVersion{}, false, p.fail(fmt.Sprintf("reading version %d", id), err)
	}
	return v, true, nil
}

func versionPath(id int64) string { return "versions/" + strconv.FormatInt(id, 10) }

// isMissing reports whether GitHub, and not a proxy before it, said 404.
func isMissing(err error) bool {
	return answered(err) == http.StatusNotFound && isRefusal(err)
}

// A container's version has its digest for a name.
var digestName = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// readVersion refuses what is no version of a container. One whose tags are not told would be taken for one without.
func readVersion(v *github.PackageVersion) (PackageVersion, error) {
	switch {
	case v.GetID() <= 0:
		return PackageVersion{}, errors.New("the answer has a version without an id")
	case !digestName.MatchString(v.GetName()):
		return PackageVersion{}, fmt.Errorf("version %d is named %q, which is no digest", v.GetID(), short(v.GetName(), maxTitle))
	case v.GetMetadata().GetContainer() == nil || v.Metadata.Container.Tags == nil:
		return PackageVersion{}, fmt.Errorf("the tags of version %d are not told", v.GetID())
	case v.GetCreatedAt().IsZero():
		return PackageVersion{}, fmt.Errorf("version %d has no time", v.GetID())
	}
	pushed := v.GetCreatedAt().Time
	if updated := v.GetUpdatedAt().Time; updated.After(pushed) {
		pushed = updated
	}
	return PackageVersion{v.GetID(), v.GetName(), slices.Clone(v.Metadata.Container.Tags), pushed.UTC()}, nil
}
