package vendors

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Who may log in: the robot may push, the reader may not.
const (
	Robot    = "robot"
	Reader   = "reader"
	Password = "s3cret"
)

// token is what a bearer may do, by repository.
type token map[string][]string

func (g *Registry) login() Login {
	if g.vendor.Login.Source == NotTold {
		return plainLogin
	}
	return g.vendor.Login
}

// action is what a request needs.
func (r request) action() string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return "pull"
	}
	return "push"
}

// needs is the right, in the vendor's word.
func (g *Registry) needs(r request) string {
	if r.kind == tagList && g.login().ListAction != "" {
		return g.login().ListAction
	}
	if a := g.vendor.Delete.Action; a != "" && r.Method == http.MethodDelete && r.kind == manifests {
		return a
	}
	return r.action()
}

// authorized reports whether the request may be served; else it has an answer.
func (g *Registry) authorized(w http.ResponseWriter, r request) bool {
	granted, known := g.rights(r)
	switch {
	case !known:
		g.answer(w, r, plain.unauthorized)
	case r.kind != ping && !slices.Contains(granted, g.needs(r)):
		g.answer(w, r, g.vendor.Denied.or(plain.denied))
	default:
		return true
	}
	return false
}

// rights are what a request's login may do with its repository. A login that is none is not known.
func (g *Registry) rights(r request) (granted []string, known bool) {
	scheme, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		t, ok := g.tokens[credential]
		return t[r.repo], ok
	case strings.EqualFold(scheme, "Basic") && g.takesBasic():
		user, password, _ := r.BasicAuth()
		return allowed(user, "pull", "push", g.needs(r)), password == Password && (user == Robot || user == Reader)
	}
	return nil, false
}

func (g *Registry) takesBasic() bool {
	return slices.ContainsFunc(append(slices.Clone(g.login().Challenges), g.login().Again), func(challenge string) bool {
		scheme, _, _ := strings.Cut(challenge, " ")
		return strings.EqualFold(scheme, "Basic")
	})
}

// allowed leaves of what is asked for what a user may.
func allowed(user string, asked ...string) []string {
	return slices.DeleteFunc(asked, func(action string) bool { return (action == "push" || action == "delete") && user != Robot })
}

// challenge asks for a login, or for another one.
func (g *Registry) challenge(w http.ResponseWriter, r request) {
	challenges := g.login().Challenges
	if g.login().Again != "" && r.Header.Get("Authorization") != "" {
		challenges = []string{g.login().Again}
	}
	action := g.needs(r)
	if action == "push" {
		action = "pull,push"
	}
	for _, challenge := range challenges {
		w.Header().Add("Www-Authenticate", r.fill(challenge, action))
	}
}

// knows reports whether these are all words that a scope may have.
func (l Login) knows(actions []string) bool {
	return !slices.ContainsFunc(actions, func(action string) bool { return l.Actions != nil && !slices.Contains(l.Actions, action) })
}

// giveToken gives a token for what is asked for and the user may, of all repositories.
func (g *Registry) giveToken(w http.ResponseWriter, r *http.Request) {
	user, password, given := r.BasicAuth()
	if given && (password != Password || user != Robot && user != Reader) {
		g.answer(w, request{Request: r}, Answer{Status: http.StatusUnauthorized, Code: "UNAUTHORIZED", Message: "incorrect username or password"})
		return
	}
	granted := token{}
	for _, scope := range strings.Fields(strings.Join(r.URL.Query()["scope"], " ")) {
		kind, name, _ := strings.Cut(scope, ":")
		repo, actions, _ := strings.Cut(name, ":")
		if kind != "repository" || !given {
			continue
		}
		asked := strings.Split(actions, ",")
		if !g.login().knows(asked) {
			g.answer(w, request{Request: r}, Answer{Status: http.StatusBadRequest, Code: "INVALID_REQUEST", Message: "unable to decode repository and actions: " + actions})
			return
		}
		may := allowed(user, slices.Clone(asked)...)
		if missing := g.repos[repo] == nil && !slices.Contains(may, "push"); g.login().Refuses && (missing || len(may) < len(asked)) {
			g.answer(w, request{Request: r, repo: repo}, g.vendor.Denied.or(plain.denied))
			return
		}
		if g.login().Creates && slices.Contains(may, "push") {
			g.create(repo)
		}
		granted[repo] = append(granted[repo], may...)
	}
	secret := rand.Text()
	g.tokens[secret] = granted
	key := "token"
	if g.login().Key != "" {
		key = g.login().Key
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{key: secret, "expires_in": 300})
}
