package oci

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// follow reads where the Link headers of an answer lead (RFC 8288). Of several the first whose relation is next counts. It
// leads to another page of the same list at the same address, or it is an error; only its query is used, so that the login
// goes nowhere else.
func (p *page) follow(asked *url.URL, resp *http.Response) error {
	for _, header := range resp.Header.Values("Link") {
		links, err := parseLinks(header)
		if err != nil {
			return err
		}
		for _, l := range links {
			switch {
			case l.anchor: // it is about another page
			case !l.related:
				p.unclear = true
			case !p.linked && l.next:
				if p.next, err = pageQuery(l.target, asked, resp.Request.URL); err != nil {
					return err
				}
				p.linked = true
			}
		}
	}
	return nil
}

// pageQuery is the query by which a Link asks for the next page.
func pageQuery(target string, asked, answered *url.URL) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", linkError("the Link to the next page cannot be read", target, notARegistry)
	}
	to := answered.ResolveReference(u)
	sameList := func(of *url.URL) bool {
		slashless := u.Host == "" && u.Path != "" && !strings.HasPrefix(u.Path, "/") && strings.HasSuffix(of.Path, "/"+u.Path)
		return to.Path == of.Path || slashless
	}
	here := fmt.Sprintf("%s://%s", asked.Scheme, asked.Host)
	switch {
	case origin(to) != origin(asked) && origin(to) != origin(answered):
		return "", linkError("the Link to the next page leads to another address", target, "the registry does not know that it is asked by "+here+
			": set its external URL to that (Distribution http.host, Harbor external_url, Nexus and Artifactory base URL);"+
			" a proxy in front of it must pass Host and X-Forwarded-Proto")
	case !sameList(asked) && !sameList(answered):
		return "", linkError("the Link to the next page leads to another path", target, "the registry, or a proxy in front of it, writes its links for another path than "+asked.Path+
			", by which it is asked: set its base URL to "+here+", or give the repository by the path that it knows")
	}
	return u.RawQuery, nil
}

// linkError is what is wrong with a Link, and the Link, without a login.
func linkError(problem, target, hint string) error {
	return &Error{Status: http.StatusOK, text: fmt.Sprintf("%s: %q", problem, clip(loginIn.ReplaceAllString(target, "//"))), hint: hint}
}

var loginIn = regexp.MustCompile(`//[^/?#]*@`)

// origin is the scheme, host and port of an address.
func origin(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// link is one value of a Link header.
type link struct {
	target  string
	related bool // it has a relation
	next    bool // which is to the next page
	anchor  bool // of another page than the one that was asked for
}

var (
	linkTarget    = regexp.MustCompile(`^[\s,]*<([^>]*)>\s*`)
	linkParameter = regexp.MustCompile(`^;\s*(?:([^\s=;,"]+)\s*(?:=\s*(?:` + quotedString + `|([^\s;,"]*)))?)?\s*`)
)

// parseLinks reads a Link header. What is no such header is an error, since it may have been the way to the next page.
func parseLinks(header string) (links []link, err error) {
	rest := header
	for strings.Trim(rest, " \t,") != "" {
		m := linkTarget.FindStringSubmatch(rest)
		if m == nil {
			return nil, linkError("a Link cannot be read", header, notARegistry)
		}
		l := link{target: m[1]}
		for rest = rest[len(m[0]):]; ; rest = rest[len(m[0]):] {
			if m = linkParameter.FindStringSubmatch(rest); m == nil {
				break
			}
			l.parameter(strings.ToLower(m[1]), unescaped.ReplaceAllString(m[2], "$1")+m[3])
		}
		links = append(links, l)
	}
	return links, nil
}

// parameter takes one parameter. The first relation counts, and may be several words.
func (l *link) parameter(name, value string) {
	switch {
	case name == "anchor":
		l.anchor = true
	case name == "rel" && !l.related:
		l.related = true
		for _, word := range strings.Fields(value) {
			l.next = l.next || strings.EqualFold(word, "next")
		}
	}
}
