package oci

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// linking answers with two pages, of which the first has these Link headers.
type linking struct {
	links []string
	asked []string
}

func (l *linking) RoundTrip(req *http.Request) (*http.Response, error) {
	l.asked = append(l.asked, req.URL.String())
	body := map[bool]string{true: `{"tags":["c"]}`, false: `{"tags":["a","b"]}`}[strings.Contains(req.URL.RawQuery, "last=b")]
	resp, err := canned{http.StatusOK, "application/json", body}.RoundTrip(req)
	if len(l.asked) == 1 {
		resp.Header["Link"] = l.links
	}
	return resp, err
}

const listAt = "https://registry.test/v2/acme/fleet/tags/list"

// TestLinks: the next page is found wherever it stands, and nothing else is taken for it.
func TestLinks(t *testing.T) {
	for name, c := range map[string]struct {
		links []string
		next  string // the query of the second request; empty for none
	}{
		"as most write it":               {[]string{`</v2/acme/fleet/tags/list?last=b&n=2>; rel="next"`}, "last=b&n=2"},
		"not quoted":                     {[]string{`</v2/acme/fleet/tags/list?last=b>;rel=next`}, "last=b"},
		"in capitals":                    {[]string{`</v2/acme/fleet/tags/list?last=b>; REL="Next"`}, "last=b"},
		"with a parameter before":        {[]string{`</v2/acme/fleet/tags/list?last=b> ; title="a, b; rel=prev" ; rel="next"; type=text/html;`}, "last=b"},
		"one of several words":           {[]string{`</v2/acme/fleet/tags/list?last=b>; rel="last next"`}, "last=b"},
		"the second of a header":         {[]string{`</v2/acme/fleet/tags/list>; rel="first", </v2/acme/fleet/tags/list?last=b>; rel="next"`}, "last=b"},
		"the second header":              {[]string{`</x>; rel="preload"`, `</v2/acme/fleet/tags/list?last=b>; rel="next"`}, "last=b"},
		"a comma in it":                  {[]string{`</v2/acme/fleet/tags/list?cursor=a,b;c&last=b>; rel="next"`}, "cursor=a,b;c&last=b"},
		"a cursor, as it came":           {[]string{`</v2/acme/fleet/tags/list?next_page=gA%3D%3D&x=last=b>; rel="next"`}, "next_page=gA%3D%3D&x=last=b"},
		"absolute":                       {[]string{`<` + listAt + `?last=b>; rel="next"`}, "last=b"},
		"absolute, with the port":        {[]string{`<HTTPS://Registry.Test:443/v2/acme/fleet/tags/list?last=b>; rel="next"`}, "last=b"},
		"without a scheme":               {[]string{`<//registry.test/v2/acme/fleet/tags/list?last=b>; rel="next"`}, "last=b"},
		"a query alone":                  {[]string{`<?last=b>; rel="next"`}, "last=b"},
		"relative to the list":           {[]string{`<list?last=b>; rel="next"`}, "last=b"},
		"without its slash":              {[]string{`<v2/acme/fleet/tags/list?last=b>; rel="next"`}, "last=b"},
		"relative to the repository":     {[]string{`<tags/list?last=b>; rel="next"`}, "last=b"},
		"empty members":                  {[]string{` , ,</v2/acme/fleet/tags/list?last=b>;;rel="next",`}, "last=b"},
		"the first of two":               {[]string{`</v2/acme/fleet/tags/list?last=b>; rel="next"`, `</v2/acme/fleet/tags/list?last=x>; rel="next"`}, "last=b"},
		"the page before":                {[]string{`</v2/acme/fleet/tags/list?last=b>; rel="prev"`}, ""},
		"a longer word":                  {[]string{`</v2/acme/fleet/tags/list?last=b>; rel="next-archive"`}, ""},
		"a longer word, not quoted":      {[]string{`</v2/acme/fleet/tags/list?last=b>; rel=next-archive`}, ""},
		"a word in a path":               {[]string{`</v2/acme/fleet/tags/list?last=b>; rel="https://registry.test/rel/next"`}, ""},
		"in a title":                     {[]string{`</v2/acme/fleet/tags/list?last=b>; title="; rel=next"; rel="prev"`}, ""},
		"in its address":                 {[]string{`</v2/acme/fleet/tags/list?last=b;rel="next">; rel="self"`}, ""},
		"the second relation of one":     {[]string{`</v2/acme/fleet/tags/list?last=b>; rel="prev"; rel="next"`}, ""},
		"of another page":                {[]string{`</v2/acme/fleet/tags/list?last=b>; rel="next"; anchor="/x"`}, ""},
		"elsewhere, and not to the next": {[]string{`<https://cdn.test/>; rel="preconnect"`}, ""},
		"without a relation":             {[]string{`</v2/acme/fleet/tags/list?cursor=x>`}, "last=b&n=1000"},
	} {
		t.Run(name, func(t *testing.T) {
			l := &linking{links: c.links}
			tags, err := allTags(t, openCanned(t, l, Options{}))
			want, asked := []string{"a", "b"}, []string{listAt + "?n=1000"}
			if c.next != "" {
				want, asked = append(want, "c"), append(asked, listAt+"?"+c.next)
			}
			if err != nil || !slices.Equal(tags, want) || !slices.Equal(l.asked, asked) {
				t.Errorf("%q, %v, asked %q; want %q of %q", tags, err, l.asked, want, asked)
			}
		})
	}
}

// TestLinksAreRefused: what leads elsewhere, or cannot be read, stops the run; nothing is asked there, and the error shows
// the Link and what mends it.
func TestLinksAreRefused(t *testing.T) {
	const external, path = "set its external URL to that (Distribution http.host, Harbor external_url, Nexus and Artifactory base URL)", "another path than /v2/acme/fleet/tags/list"
	for name, c := range map[string]struct {
		link, says string
		hints      []string
	}{
		"http behind a proxy":                 {`<http://registry.test/v2/acme/fleet/tags/list?last=b>; rel="next"`, `leads to another address: "http://registry.test/v2/acme/fleet/tags/list?last=b"`, []string{"asked by https://registry.test: ", external, "X-Forwarded-Proto"}},
		"another name":                        {`<https://harbor.internal/v2/acme/fleet/tags/list?last=b>; rel="next"`, `leads to another address: "https://harbor.internal/`, []string{external}},
		"another port":                        {`<https://registry.test:5000/v2/acme/fleet/tags/list?last=b>; rel=next`, `leads to another address: "https://registry.test:5000/`, []string{external}},
		"another name, no scheme":             {`<//evil.test/v2/acme/fleet/tags/list?last=b>; rel=next`, `leads to another address: "//evil.test/`, []string{external}},
		"no web address":                      {`<javascript:x>; rel=next`, `leads to another address: "javascript:x"`, []string{external}},
		"a login in it":                       {`<https://u:s3cret@evil.test/v2/acme/fleet/tags/list?last=b>; rel=next`, `leads to another address: "https://evil.test/`, []string{external}},
		"a login, and no address":             {`<https://u:s3cret@[evil/v2/acme/fleet/tags/list?last=b>; rel=next`, `cannot be read: "https://[evil/`, nil},
		"Artifactory, without its repository": {`</v2/fleet/tags/list?last=b>; rel="next"`, `leads to another path: "/v2/fleet/tags/list?last=b"`, []string{path}},
		"Nexus' connector":                    {`<https://registry.test/repository/docker/v2/acme/fleet/tags/list?last=b>; rel="next"`, `leads to another path: "https://registry.test/repository/docker/`, []string{path}},
		"a path prefix":                       {`</registry/v2/acme/fleet/tags/list?last=b>; rel="next"`, `leads to another path`, []string{path}},
		"a part of a name":                    {`<leet/tags/list?last=b>; rel="next"`, `leads to another path`, []string{path}},
		"out of the registry":                 {`</v2/../../evil/tags/list>; rel="next"`, `leads to another path`, []string{path}},
		"after one that is not":               {`</x>; rel="prev", <https://evil.test/>; rel="next"`, `leads to another address: "https://evil.test/"`, nil},
		"no link":                             {`nonsense`, `cannot be read: "nonsense"`, []string{"check the host"}},
		"no end":                              {`</v2/acme/fleet/tags/list?last=b`, `cannot be read`, nil},
		"a quote without an end":              {`</v2/acme/fleet/tags/list?last=b>; rel="next`, `cannot be read`, nil},
		"words between":                       {`</v2/acme/fleet/tags/list?last=b>; rel=next page`, `cannot be read`, nil},
		"no address":                          {"</v2/acme/fleet/tags/list?last=b%zz\x7f>; rel=next", `cannot be read`, nil},
		"a long one":                          {`<https://evil.test/` + strings.Repeat("x", 9000) + `>; rel=next`, `leads to another address`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			l := &linking{links: []string{c.link}}
			_, err := allTags(t, openCanned(t, l, Options{Credentials: Credentials{Username: "u", Password: "s3cret"}}))
			checkHint(t, err, "", c.hints...)
			if !strings.Contains(err.Error(), c.says) || len(err.Error()) > 1000 {
				t.Errorf("%v, want one with %q", err, c.says)
			}
			if len(l.asked) != 1 {
				t.Errorf("asked %q", l.asked)
			}
		})
	}
}

// TestLinkAfterARedirect: a list that is elsewhere links to where it is. The next page is asked for where the first was.
func TestLinkAfterARedirect(t *testing.T) {
	var asked []string
	r := openCanned(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		asked = append(asked, req.URL.String())
		if req.URL.Host == "registry.test" {
			resp, err := canned{status: http.StatusTemporaryRedirect}.RoundTrip(req)
			resp.Header.Set("Location", "https://mirror.test/lists/fleet?"+req.URL.RawQuery)
			return resp, err
		}
		if req.URL.Query().Has("last") {
			return canned{http.StatusOK, "", `{"tags":["c"]}`}.RoundTrip(req)
		}
		resp, err := canned{http.StatusOK, "", `{"tags":["a","b"]}`}.RoundTrip(req)
		resp.Header.Set("Link", `</lists/fleet?last=b>; rel="next"`)
		return resp, err
	}), Options{})
	tags, err := allTags(t, r)
	want := []string{listAt + "?n=1000", "https://mirror.test/lists/fleet?n=1000", listAt + "?last=b", "https://mirror.test/lists/fleet?last=b"}
	if err != nil || !slices.Equal(tags, []string{"a", "b", "c"}) || !slices.Equal(asked, want) {
		t.Errorf("%q, %v, asked %q", tags, err, asked)
	}
}
