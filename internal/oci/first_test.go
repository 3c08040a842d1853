package oci

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// fresh is a registry that never heard of the repository, and says so in its own way.
type fresh struct {
	list      canned // the answer to the tag list of who is let in
	challenge string // empty to let everybody in
	token     canned // of the token service
}

func (s fresh) RoundTrip(req *http.Request) (*http.Response, error) {
	answer := s.list
	asks := s.challenge != "" && req.Header.Get("Authorization") == ""
	switch {
	case req.URL.Path == "/token":
		answer, asks = s.token, false
	case asks:
		answer = canned{status: http.StatusUnauthorized}
	}
	resp, err := answer.RoundTrip(req)
	if asks || answer.status == http.StatusUnauthorized {
		resp.Header.Set("WWW-Authenticate", s.challenge)
	}
	return resp, err
}

// TestFirstBuildBelievesMore: where somebody says that nothing was ever pushed, more answers mean that than the specification has: a
// 404 in any words, and a 401 with a token that was given a moment ago. No other failure does.
func TestFirstBuildBelievesMore(t *testing.T) {
	const bearer = `Bearer realm="https://registry.test/token"`
	token := canned{http.StatusOK, "", `{"token":"t"}`}
	denied := `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`
	for name, c := range map[string]struct {
		registry fresh
		believed bool
		says     string // without first-build
		hint     string
	}{
		"404 of a web server":          {fresh{list: canned{404, "text/html", "<html>nginx</html>"}}, true, "404 the answer is a web page", "first-build: true"},
		"404 of something else":        {fresh{list: canned{404, "", `{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`}}, true, "404 manifest unknown", "first-build: true"},
		"404 without a word":           {fresh{list: canned{status: 404}}, true, "404 Not Found", "first-build: true"},
		"403":                          {fresh{list: canned{403, "", denied}}, true, "403", "first-build: true"},
		"403 that is a limit":          {fresh{list: canned{403, "", "You have exceeded a secondary rate limit"}}, false, "403", "run again later"},
		"401 with a good token":        {fresh{canned{401, "", denied}, bearer, token}, true, "401 unauthorized: authentication required", "first-build: true"},
		"401 without a token":          {fresh{list: canned{401, "", denied}}, false, "401", ""},
		"401 with a password":          {fresh{list: canned{401, "", denied}, challenge: `Basic realm="x"`}, false, "401", "check the user name and that the password or token is valid and not expired; whoever asks must be allowed to read"},
		"401 of the token service":     {fresh{canned{401, "", denied}, bearer, canned{401, "", denied}}, false, "401", "for a token"},
		"404 of the token service":     {fresh{canned{401, "", denied}, bearer, canned{404, "", denied}}, false, "404", ""},
		"500":                          {fresh{list: canned{500, "", "oops"}}, false, "500 oops", ""},
		"200 that is no tag list":      {fresh{list: canned{200, "", `{}`}}, false, "200, but", ""},
		"a token service that is down": {fresh{canned{401, "", denied}, bearer, canned{503, "", "down"}}, false, "503", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Build: true, Credentials: Credentials{Username: "robot", Password: "s3cret"}}
			_, err := allTags(t, openCanned(t, c.registry, o))
			if c.hint == "for a token" {
				checkHint(t, err, c.says)
				if !strings.Contains(err.Error(), c.hint) {
					t.Errorf("error %v", err)
				}
			} else {
				checkHint(t, err, c.says, c.hint)
			}
			o.FirstBuild = true
			tags, err := allTags(t, openCanned(t, c.registry, o))
			if (err == nil) != c.believed || len(tags) > 0 {
				t.Errorf("with first-build: tags %q, %v", tags, err)
			}
			o.Build, o.FirstBuild = false, false
			var told *Error
			if _, err := allTags(t, openCanned(t, c.registry, o)); !errors.As(err, &told) || strings.Contains(told.Hint(), "first-build") {
				t.Errorf("another mode: %v", err)
			}
		})
	}
}

// A 403 that is a limit says nothing of the repository, however it is told to be one. Nor does it refuse a request for good.
func TestFirstBuildBelievesNoLimit(t *testing.T) {
	for name, limit := range map[string]reply{
		"in words":         {403, "", "You have exceeded a secondary rate limit"},
		"in capitals":      {403, "", "API Rate Limit Exceeded"},
		"late":             {403, "", strings.Repeat("Forbidden. ", 100) + "This is a rate limit."},
		"by a pause":       {403, "Retry-After: 1", "slow down"},
		"without a word":   {403, "Retry-After: 1", ""},
		"in a list":        {403, "", `{"errors":[{"code":"DENIED","message":"Rate limit exceeded"}]}`},
		"in a list, pause": {403, "Retry-After: 1", `{"errors":[{"code":"DENIED","message":"no"}]}`},
		"by its code":      {403, "", `{"errors":[{"code":"TOOMANYREQUESTS","message":"no"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := openCanned(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				resp := limit.response()
				resp.Request = req
				return resp, nil
			}), Options{Build: true, FirstBuild: true})
			_, err := allTags(t, r)
			checkHint(t, err, "403 ", "run again later, nothing has to be undone")
			var told *Error
			if err := r.Tag(t.Context(), testDesc, "0.0.1"); !errors.As(err, &told) || told.Refused() {
				t.Errorf("a write is refused: %v", err)
			}
		})
	}
}

// What a run has written is there: whoever cannot list it is not let see it. Only NAME_UNKNOWN may still lag.
func TestFirstBuildBelievesNothingAfterAWrite(t *testing.T) {
	for name, c := range map[string]struct {
		list     canned
		believed bool
	}{
		"403":                {canned{403, "", `{"errors":[{"code":"DENIED","message":"no"}]}`}, false},
		"404 in other words": {canned{404, "", "gone"}, false},
		"404 NAME_UNKNOWN":   {canned{404, "", `{"errors":[{"code":"NAME_UNKNOWN","message":"no"}]}`}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := openCanned(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPut {
					resp, err := canned{status: http.StatusCreated}.RoundTrip(req)
					resp.Header.Set("Docker-Content-Digest", testDesc.Digest.String())
					return resp, err
				}
				return c.list.RoundTrip(req)
			}), Options{Build: true, FirstBuild: true})
			if _, err := allTags(t, r); err != nil {
				t.Fatal(err)
			}
			if err := r.PushReference(t.Context(), testDesc, bytes.NewReader(testManifest), "0.0.1-rc.1"); err != nil {
				t.Fatal(err)
			}
			_, err := allTags(t, r)
			if (err == nil) != c.believed {
				t.Errorf("after a write: %v", err)
			}
			if told := (*Error)(nil); err != nil && (!errors.As(err, &told) || strings.Contains(told.Hint(), "first-build") || strings.Contains(told.Hint(), "is new")) {
				t.Errorf("the hint of %v does not know of the write", err)
			}
		})
	}
}

// A list that ends in the middle is none, also where first-build is given.
func TestFirstBuildBelievesNoLaterPage(t *testing.T) {
	first := true
	r := openCanned(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		if !first {
			return canned{status: http.StatusNotFound}.RoundTrip(req)
		}
		first = false
		resp, err := canned{http.StatusOK, "", `{"tags":["a"]}`}.RoundTrip(req)
		resp.Header.Set("Link", `</v2/acme/fleet/tags/list?last=a>; rel="next"`)
		return resp, err
	}), Options{Build: true, FirstBuild: true})
	var told *Error
	if _, err := allTags(t, r); !errors.As(err, &told) || strings.Contains(told.Hint(), "first-build") || strings.Contains(told.Hint(), "is new") {
		t.Errorf("a page that is missing: %v", err)
	}
}

// TestCreateItFirst: a registry that makes no repository by a push says NAME_UNKNOWN to the upload; the hint has the command.
func TestCreateItFirst(t *testing.T) {
	const unknown = `{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name 'x' does not exist in the registry with id '123456789012'"}]}`
	for repository, hint := range map[string]string{
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/fleet":       "create it first, with: aws ecr create-repository --region eu-west-1 --repository-name acme/fleet",
		"123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/fleet":   "create it first, with: aws ecr create-repository --region us-gov-west-1 --repository-name fleet",
		"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/fleet":        "create it first, with: aws ecr create-repository --region cn-north-1 --repository-name fleet",
		"123456789012.dkr-ecr.us-east-1.on.aws/fleet":                   "create it first, with: aws ecr create-repository --region us-east-1 --repository-name fleet",
		"public.ecr.aws/a1b2c3/acme/fleet":                              "create it first, with: aws ecr-public create-repository --region us-east-1 --repository-name acme/fleet",
		"harbor.test/acme/fleet":                                        "create it first (in Harbor its project, on Google Artifact Registry its repository)",
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.test/fleet":  "create it first (in Harbor",
		"x123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.test/fleet": "create it first (in Harbor",
	} {
		ref, err := ParseReference(repository)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range []string{"NAME_UNKNOWN", "NOT_FOUND"} {
			base := openCanned(t, canned{404, "", strings.Replace(unknown, "NAME_UNKNOWN", code, 1)}, Options{})
			r, err := OpenRegistry(ref, base.o)
			if err != nil {
				t.Fatal(err)
			}
			words := "404 " + strings.ToLower(strings.ReplaceAll(code, "_", " "))
			checkHint(t, r.Upload(t.Context(), testBlob, func() (io.ReadSeekCloser, error) { return &layerFile{Reader: bytes.NewReader(testLayer)}, nil }), words, hint)
			checkHint(t, r.PushReference(t.Context(), testDesc, bytes.NewReader(testManifest), "0.0.1"), words, hint)
		}
	}
}
