package hostile

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
)

// formsOf are the ways in which a secret can be written, each found on its own; written anew and not as the program does.
func formsOf(secret string) map[string]string {
	inJSON, _ := json.Marshal(secret)
	inQuotes := fmt.Sprintf("%q", secret)
	forms := map[string]string{
		"as it is": secret, "its beginning": secret[:6], "JSON": string(inJSON[1 : len(inJSON)-1]), "Go": inQuotes[1 : len(inQuotes)-1], "HTML": html.EscapeString(secret),
		"query": url.QueryEscape(secret), "path": url.PathEscape(secret), "spaces": strings.ReplaceAll(url.QueryEscape(secret), "+", "%20"),
		"hex": hex.EncodeToString([]byte(secret)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for before := range 3 {
			whole := encoding.EncodeToString([]byte(strings.Repeat("\x00", before) + secret + "\x00\x00"))
			const edge = 4 // digits that what stands before and after may have changed
			forms[fmt.Sprintf("base64 %p %d", encoding, before)] = whole[edge : len(whole)-2*edge]
		}
	}
	return forms
}

// secret is one that a run has, with the hosts that may see it.
type secret struct {
	name, value string
	allowed     []string
}

// leaks are the places where a secret is that must not have it.
func (s step) leaks(secrets []secret, shown string) (found []string) {
	for _, secret := range secrets {
		for form, text := range formsOf(secret.value) {
			if strings.Contains(shown, text) {
				i := strings.Index(shown, text)
				found = append(found, fmt.Sprintf("the %s (%s) is shown: …%.200q", secret.name, form, shown[max(0, i-80):]))
			}
			for _, r := range s.asked {
				if !slices.Contains(secret.allowed, r.Scheme+"://"+r.Host) && strings.Contains(r.Text, text) {
					found = append(found, fmt.Sprintf("the %s (%s) is told to %s://%s: %.300q", secret.name, form, r.Scheme, r.Host, r.Text))
				}
			}
		}
	}
	return found
}
