package hostile

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"
)

// What a summary or an issue may consist of once it is HTML.
var elements = strings.Fields("html head body h1 h2 h3 h4 h5 h6 p table thead tbody tr th td a code pre blockquote strong em " +
	"details summary sub ul ol li br hr")

// Where links may lead.
var allowedLinks = []string{"https://github.com/acme/fleet/", "https://ghes.example/acme/fleet/", "https://github.com/oci-promote/oci-promote/blob/"}

var gfm = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))

// named is what GitHub makes a person or an issue of in text.
var named = regexp.MustCompile(`(?:^|[^\w/])@[A-Za-z0-9]|(?:^|[^\w&])#\d|\bGH-\d`)

// forgeriesIn renders Markdown as GitHub does and tells what somebody else has put into it.
func forgeriesIn(markdown string) (found []string) {
	var b bytes.Buffer
	if err := gfm.Convert([]byte(markdown), &b); err != nil {
		return []string{err.Error()}
	}
	root, err := nethtml.Parse(&b)
	if err != nil {
		return []string{err.Error()}
	}
	var walk func(n *nethtml.Node, code bool)
	walk = func(n *nethtml.Node, code bool) {
		switch n.Type {
		case nethtml.ElementNode:
			if !slices.Contains(elements, n.Data) {
				found = append(found, fmt.Sprintf("the element <%s>", n.Data))
			}
			for _, a := range n.Attr {
				known := n.Data == "details" && a.Key == "open" || n.Data == "code" && a.Key == "class" || (n.Data == "th" || n.Data == "td") && a.Key == "style" || n.Data == "ol" && a.Key == "start"
				ours := n.Data == "a" && a.Key == "href" && slices.ContainsFunc(allowedLinks, func(l string) bool { return strings.HasPrefix(a.Val, l) })
				if !known && !ours {
					found = append(found, fmt.Sprintf("<%s %s=%.100q>", n.Data, a.Key, a.Val))
				}
			}
			code = code || n.Data == "code" || n.Data == "pre"
		case nethtml.CommentNode:
			found = append(found, fmt.Sprintf("the comment %.100q", n.Data))
		case nethtml.TextNode:
			if who := named.FindString(n.Data); who != "" && !code {
				found = append(found, fmt.Sprintf("%q in %.100q", who, n.Data))
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, code)
		}
	}
	walk(root, false)
	return found
}
