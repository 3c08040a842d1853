package oci

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// challenged looks at where a registry sends us for a token, before the login goes there, and at what we are to ask for:
// no other repository, and no more than the run needs.
type challenged struct {
	next    http.RoundTripper
	ref     Reference
	actions []string // that the run may need
}

func (t challenged) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(resp.Header.Get("Www-Authenticate")), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return resp, nil
	}
	params := parameters(rest)
	if problem := t.refused(req.URL, params["realm"]); problem != "" {
		_ = resp.Body.Close()
		return nil, &Error{
			Status: resp.StatusCode,
			text:   "the registry sends us for a token to " + problem,
			hint:   "no login was sent there; check the host of the repository, and what stands in between",
		}
	}
	header := fmt.Sprintf(`Bearer realm="%s"`, escaped.Replace(params["realm"]))
	if service := params["service"]; service != "" {
		header += fmt.Sprintf(`,service="%s"`, escaped.Replace(service))
	}
	if scope := t.scope(params["scope"]); scope != "" {
		header += fmt.Sprintf(`,scope="%s"`, escaped.Replace(scope))
	}
	resp.Header.Set("Www-Authenticate", header)
	return resp, nil
}

// refused says why a realm gets no login, or is empty. Another host is how Docker Hub and others do it; in the clear it
// would tell the login to whoever listens. The GitHub token is for ghcr.io alone.
func (t challenged) refused(asked *url.URL, realm string) string {
	u, err := url.Parse(realm)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
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
		words := slices.DeleteFunc(strings.Split(actions, ","), func(action string) bool {
			return action == "delete" || action == "*" || action == "push" && !slices.Contains(t.actions, action)
		})
		if len(words) > 0 {
			kept = append(kept, "repository:"+t.ref.Repository+":"+strings.Join(words, ","))
		}
	}
	return strings.Join(kept, " ")
}

var (
	parameter = regexp.MustCompile(`([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))`)
	escaped   = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	unescaped = regexp.MustCompile(`\\(.)`)
)

// parameters reads the parameters of a challenge (RFC 9110, 11.2). The first of a name counts.
func parameters(s string) map[string]string {
	found := map[string]string{}
	for _, m := range parameter.FindAllStringSubmatch(s, -1) {
		name, value := strings.ToLower(m[1]), unescaped.ReplaceAllString(m[2], "$1")+m[3]
		if _, twice := found[name]; !twice {
			found[name] = value
		}
	}
	return found
}
