package registrytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	tokenPath        = "/token"
	tokenServiceName = "registrytest"
	tokenIssuer      = "registrytest-issuer"
	tokenKeyID       = "registrytest-key"
	tokenLifetime    = 5 * time.Minute
)

// tokenService gives bearer tokens as the distribution specification describes. Whoever knows the password gets
// what is asked for; a request without credentials gets a token that opens nothing; a wrong password gets a 401.
type tokenService struct {
	// realm has the registry's own host: oras-go refuses any other that resolves to loopback.
	realm              string
	username, password string
	key                *ecdsa.PrivateKey
	signer             jose.Signer
}

func newTokenService(host, username, password string) (*tokenService, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	signingKey := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: tokenKeyID}}
	signer, err := jose.NewSigner(signingKey, nil)
	if err != nil {
		return nil, err
	}
	realm := "http://" + host + tokenPath
	return &tokenService{realm: realm, username: username, password: password, key: key, signer: signer}, nil
}

// writeKeys writes the public key, as a JSON Web Key set, for the registry.
func (t *tokenService) writeKeys(file string) error {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: t.key.Public(), KeyID: tokenKeyID, Algorithm: string(jose.ES256), Use: "sig"},
	}}
	data, err := json.Marshal(set)
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}

func (t *tokenService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.Method != http.MethodGet {
		answerError(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "only GET is supported")
		return
	}
	username, password, given := r.BasicAuth()
	if given && !t.accepts(username, password) {
		answerError(w, http.StatusUnauthorized, "UNAUTHORIZED", "incorrect username or password")
		return
	}
	var granted []access
	if given {
		granted = parseScopes(r.URL.Query()["scope"])
	}
	token, err := t.sign(username, granted)
	if err != nil {
		answerError(w, http.StatusInternalServerError, "UNKNOWN", err.Error())
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"token": token, "expires_in": int(tokenLifetime.Seconds()), "issued_at": time.Now().UTC(),
	})
}

func (t *tokenService) accepts(username, password string) bool {
	return subtle.ConstantTimeCompare([]byte(username+"\x00"+password), []byte(t.username+"\x00"+t.password)) == 1
}

func (t *tokenService) sign(subject string, granted []access) (string, error) {
	now := time.Now()
	claims := jwt.Claims{
		Issuer:    tokenIssuer,
		Subject:   subject,
		Audience:  jwt.Audience{tokenServiceName},
		Expiry:    jwt.NewNumericDate(now.Add(tokenLifetime)),
		NotBefore: jwt.NewNumericDate(now),
		IssuedAt:  jwt.NewNumericDate(now),
	}
	private := struct {
		Access []access `json:"access"`
	}{granted}
	return jwt.Signed(t.signer).Claims(claims).Claims(private).Serialize()
}

// access is one scope in the form that a token holds it.
type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// parseScopes reads "repository:acme/fleet:pull,push" and the like; a parameter may hold several, after spaces.
// What has another form grants nothing.
func parseScopes(parameters []string) []access {
	var granted []access
	for _, scope := range strings.Fields(strings.Join(parameters, " ")) {
		kind, rest, _ := strings.Cut(scope, ":")
		colon := strings.LastIndex(rest, ":")
		if colon < 0 {
			continue
		}
		actions := strings.Split(rest[colon+1:], ",")
		granted = append(granted, access{Type: kind, Name: rest[:colon], Actions: actions})
	}
	return granted
}

func answerError(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"errors": []map[string]string{{"code": code, "message": message}},
	})
}
