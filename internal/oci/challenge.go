package oci

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"oras.land/oras-go/v2/registry"
)

// challenged takes the one of a registry's challenges that is answered. It looks at where that sends us for a token, before the
// login goes there, and at what we are to ask for: no other repository, and no more than the run needs.
type challenged struct {
	next   http.RoundTripper
	ref    Reference
	rights *rights
}

func (t challenged) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	header, problem := t.choose(req.URL, parseChallenges(resp.Header.Values("Www-Authenticate")))
	if problem != nil {
		_ = resp.Body.Close()
		return nil, problem
	}
	resp.Header.Set("Www-Authenticate", header)
	return resp, nil
}

// choose takes the challenge that is answered, for oras-go, which reads the first one only: Bearer where its realm will do,
// else Basic, whose login goes to the registry itself. Where it is neither, the registry's schemes are named; those of
// another server are none of ours. An empty one is read as none at all.
func (t challenged) choose(asked *url.URL, offered []challenge) (header string, problem error) {
	for _, c := range offered {
		if !c.is("Bearer") {
			continue
		}
		if refused := t.refused(asked, c.params["realm"]); refused == "" {
			c.scheme, c.token, c.params["scope"] = "Bearer", "", t.scope(c.params["scope"])
			return c.format("realm", "service", "scope"), nil
		} else if problem == nil {
			problem = &Error{
				Status: http.StatusUnauthorized,
				text:   "the registry sends us for a token to " + refused,
				hint:   "no login was sent there; check the host of the repository, and what stands in between",
			}
		}
	}
	for _, c := range offered {
		if c.is("Basic") {
			c.scheme, c.token = "Basic", ""
			return c.format("realm"), nil
		}
	}
	if problem == nil && len(offered) > 0 && t.ours(asked) {
		problem = &Error{
			Status: http.StatusUnauthorized,
			text:   fmt.Sprintf("the registry offers %s only, and this program speaks Bearer and Basic", schemes(offered)),
			hint:   "no login was sent; have the registry offer one of the two to the user of username and password, and check what stands in between",
		}
	}
	return "", problem
}

// ours reports whether a request is one of the registry's, and not of a token service or storage that it sent us to.
func (t challenged) ours(asked *url.URL) bool {
	host := registry.Reference{Registry: t.ref.Host}.Host()
	return strings.EqualFold(asked.Host, host) && strings.HasPrefix(asked.Path, "/v2/")
}

// schemes names those of some challenges, each once: "Negotiate and NTLM".
func schemes(offered []challenge) string {
	const most, long = 4, 20
	var names []string
	for _, c := range offered {
		name := c.scheme[:min(len(c.scheme), long)]
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) && len(names) < most {
			names = append(names, name)
		}
	}
	last := len(names) - 1
	return strings.TrimPrefix(strings.Join(names[:last], ", ")+" and "+names[last], " and ")
}

// refused says why a realm gets no login, or is empty. Another host is how Docker Hub and others do it; in the clear it
// would tell the login to whoever listens. The GitHub token is for ghcr.io alone.
func (t challenged) refused(asked *url.URL, realm string) string {
	u, err := url.Parse(realm)
	switch {
	case err != nil || !utf8.ValidString(realm) || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Sprintf("%q, which is no address", realm)
	case u.User != nil:
		return fmt.Sprintf("an address on %s with a login in it", u.Host)
	case u.Scheme == "http" && (asked.Scheme != "http" || !strings.EqualFold(u.Hostname(), asked.Hostname())):
		return fmt.Sprintf("%s over plain HTTP", u.Host)
	case t.ref.Host == GHCR && u.Host != GHCR:
		return fmt.Sprintf("%s, which is not %s", u.Host, GHCR)
	}
	return ""
}

// scope keeps what a challenge asks for of our repository, without what the run does not need. oras-go adds what it does.
func (t challenged) scope(asked string) string {
	var kept []string
	for _, scope := range strings.Fields(asked) {
		actions, ours := strings.CutPrefix(scope, "repository:"+t.ref.Repository+":")
		if !ours {
			continue
		}
		words := slices.DeleteFunc(strings.Split(actions, ","), func(action string) bool { return !t.rights.may(action) })
		if len(words) > 0 {
			kept = append(kept, "repository:"+t.ref.Repository+":"+strings.Join(words, ","))
		}
	}
	return strings.Join(kept, " ")
}
