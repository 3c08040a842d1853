package action

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Secrets are what a run was given or got to present itself. A server that was told one may say it again, in an error
// page that shows the request for example; the runner masks only what it knows as a secret. Nil has and keeps none.
type Secrets struct {
	Public string // what everybody may read: a secret that is a part of it, such as the repository's name, is none

	mu    sync.RWMutex
	known map[string]bool
	plain []string // the secrets as servers and libraries write them, the longest first
	coded []*regexp.Regexp
}

// What takes the place of a secret, as the runner writes it.
const hidden = "***"

// Shorter ones are no secrets, and would be found in any text.
const shortest = 4

// What is a secret by its form, as one in a wrong input: a token of GitHub's, and the login in a URL.
var (
	gitHubToken = regexp.MustCompile(`\b(?:gh[pousr]_|github_pat_)[0-9A-Za-z_]{20,}`)
	inURL       = regexp.MustCompile(`://[^\s/"'<>@]*:[^\s/"'<>]*@`)
)

// Add adds a secret. It may be empty.
func (s *Secrets) Add(secret string) {
	if s == nil {
		return
	}
	secret = strings.TrimSpace(secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(secret) < shortest || s.known[secret] || strings.Contains(strings.ToLower(s.Public), strings.ToLower(secret)) {
		return
	}
	if s.known == nil {
		s.known = map[string]bool{}
	}
	s.known[secret] = true
	s.plain = append(s.plain, spellings(secret)...)
	slices.SortFunc(s.plain, func(a, b string) int { return len(b) - len(a) })
	s.plain = slices.Compact(s.plain)
	s.coded = append(s.coded, inBase64(secret))
}

// Hide is text without the secrets, however they are spelled.
func (s *Secrets) Hide(text string) string {
	text = inURL.ReplaceAllString(gitHubToken.ReplaceAllString(text, hidden), "://"+hidden+"@")
	if s == nil {
		return text
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, secret := range s.plain {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	for _, secret := range s.coded {
		text = secret.ReplaceAllString(text, hidden)
	}
	return text
}

// spellings are the forms in which a secret stands in URLs, JSON, HTML and quotes.
func spellings(secret string) []string {
	inJSON, _ := json.Marshal(secret) //nolint:errchkjson // a string
	quoted := strconv.Quote(secret)
	ascii := strconv.QuoteToASCII(secret)
	query, path := url.QueryEscape(secret), url.PathEscape(secret)
	all := []string{
		secret, string(inJSON[1 : len(inJSON)-1]), quoted[1 : len(quoted)-1], ascii[1 : len(ascii)-1], html.EscapeString(secret),
		query, path, strings.ReplaceAll(query, "+", "%20"), lowerHex(query), lowerHex(path), url.UserPassword("", secret).String()[1:],
		hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
		strings.NewReplacer(`\`, `\\`, `"`, `\"`, "/", `\/`).Replace(secret), Clean(secret),
	}
	return slices.DeleteFunc(all, func(s string) bool { return len(s) < shortest })
}

var percent = regexp.MustCompile(`%[0-9A-F]{2}`)

func lowerHex(s string) string { return percent.ReplaceAllStringFunc(s, strings.ToLower) }

// inBase64 finds a secret in base64 of either alphabet, also where other text was encoded before and after it, as
// user:password is: of each of the three ways in which it can lie there, the digits that hold nothing else.
func inBase64(secret string) *regexp.Regexp {
	var cores []string
	for before := range 3 {
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), secret...))
		first := (before*8 + 5) / 6
		last := (before + len(secret)) * 8 / 6
		core := text[first:last]
		cores = append(cores, strings.NewReplacer(`\+`, `[+-]`, "/", "[/_]").Replace(regexp.QuoteMeta(core)))
	}
	return regexp.MustCompile(`[0-9A-Za-z+/_-]*(?:` + strings.Join(cores, "|") + `)[0-9A-Za-z+/_-]*=*`)
}
