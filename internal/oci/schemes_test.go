package oci

import (
	"maps"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParseChallenges(t *testing.T) {
	params := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	realm := challenge{"Bearer", "", params("realm", "https://a/t", "service", "s")}
	basic := challenge{"Basic", "", params("realm", "x")}
	negotiate := challenge{"Negotiate", "", params()}
	for name, c := range map[string]struct {
		lines []string
		want  []challenge
	}{
		"nothing":                    {nil, nil},
		"empty":                      {[]string{"", " , ,\t"}, nil},
		"one":                        {[]string{`Bearer realm="https://a/t",service="s"`}, []challenge{realm}},
		"two headers":                {[]string{"Negotiate", `Basic realm="x"`}, []challenge{negotiate, basic}},
		"one header":                 {[]string{`Negotiate, Basic realm="x"`}, []challenge{negotiate, basic}},
		"the other way round":        {[]string{`Basic realm="x", Negotiate`}, []challenge{basic, negotiate}},
		"parameters end at a scheme": {[]string{`Basic realm="x", Bearer realm="https://a/t",service="s", Negotiate`}, []challenge{basic, realm, negotiate}},
		"token68":                    {[]string{`Negotiate YII+/a==, Basic realm="x"`}, []challenge{{"Negotiate", "YII+/a==", params()}, basic}},
		"token68 and no end":         {[]string{`Negotiate YII=`}, []challenge{{"Negotiate", "YII=", params()}}},
		"token68 like a token":       {[]string{`NTLM abc , Basic realm="x"`}, []challenge{{"NTLM", "abc", params()}, basic}},
		"commas in quotes":           {[]string{`Digest realm="a, Basic realm=\"b\"", qop="auth,auth-int", Basic realm="x"`}, []challenge{{"Digest", "", params("realm", `a, Basic realm="b"`, "qop", "auth,auth-int")}, basic}},
		"blanks around the sign":     {[]string{"Basic  realm\t= \"x\""}, []challenge{basic}},
		"no quotes":                  {[]string{`Bearer realm=https://a/t , service=s`}, []challenge{realm}},
		"names have no case":         {[]string{`Basic REALM="x",Realm="y"`}, []challenge{basic}},
		"no comma":                   {[]string{`Bearer realm="https://a/t" service="s" Basic realm="x"`}, []challenge{realm, basic}},
		"empty list elements":        {[]string{`, Basic , realm="x",, ,`}, []challenge{basic}},
		"quotes that do not end":     {[]string{`Basic realm="x, Bearer realm=`}, []challenge{{"Basic", "", params("realm", "")}}},
		"garbage":                    {[]string{`@@ "a, Negotiate" x, Basic realm="x"`, `realm="y"`, "\x00\xff, Negotiate"}, []challenge{basic, negotiate}},
		"a parameter of no scheme":   {[]string{`realm="y", Basic realm="x"`}, []challenge{basic}},
		"an empty value":             {[]string{`Basic realm=, Negotiate`}, []challenge{{"Basic", "realm=", params()}, negotiate}},
	} {
		if got := parseChallenges(c.lines); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got  %q\nwant %q", name, got, c.want)
		}
	}
}

// What is read of a header is read again of what it is written as; and a whole client, with a login at hand, sends that only to
// the registry and where a Bearer challenge sends it, and only if asked in a scheme that it speaks.
func FuzzChallenges(f *testing.F) {
	for _, lines := range [][2]string{
		{`Bearer realm="https://auth.test/token",service="s",scope="repository:acme/fleet:pull"`, ``}, {`Negotiate`, `Basic realm="x"`}, {`Basic realm="x"`, `Bearer realm="https://registry.test/t"`},
		{`Negotiate YII==, NTLM`, `Digest realm="a\"b, c", qop="auth,auth-int"`}, {`bearer realm=http://registry.test`, `BASIC`}, {`Bearer realm="https://registry.test@evil.test/"`, ``}, {`"`, `=`}, {`a=b`, `\`}, {`Bearer=`, ``},
	} {
		f.Add(lines[0], lines[1])
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		found := parseChallenges([]string{first, second})
		for _, c := range found {
			names := slices.Sorted(maps.Keys(c.params))
			maps.DeleteFunc(c.params, func(_, value string) bool { return value == "" })
			text := c.format(names...)
			if c.token != "" {
				clear(c.params)
			}
			if again := parseChallenges([]string{text}); !reflect.DeepEqual(again, []challenge{c}) {
				t.Errorf("%q of %q, %q is read as %q", text, first, second, again)
			}
		}
		speaks := slices.ContainsFunc(found, func(c challenge) bool { return c.is("Basic") || c.is("Bearer") })
		checkLoginStays(t, speaks, first, second)
	})
}

func checkLoginStays(t *testing.T, speaks bool, lines ...string) {
	t.Helper()
	r := openCanned(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		login := req.Header.Get("Authorization")
		scheme, _, _ := strings.Cut(login, " ")
		switch atRegistry := req.URL.Host == "registry.test"; {
		case login != "" && !speaks:
			t.Errorf("%q: %s is sent a login, and nobody asked in Basic or Bearer", lines, req.URL)
		case login != "" && scheme != "Basic" && scheme != "Bearer", login != "" && req.URL.Scheme != "https":
			t.Errorf("%q: %s is sent %q", lines, req.URL, login)
		case !atRegistry && scheme == "Bearer", atRegistry && strings.HasPrefix(req.URL.Path, "/v2/") && scheme == "" && login != "":
			t.Errorf("%q: %s is sent %q", lines, req.URL, login)
		}
		resp := canned{http.StatusOK, "application/json", `{"token":"t","tags":["a"]}`}
		if login == "" && strings.HasPrefix(req.URL.Path, "/v2/acme/fleet/") {
			resp = canned{status: http.StatusUnauthorized}
		}
		answer, err := resp.RoundTrip(req)
		if resp.status == http.StatusUnauthorized {
			answer.Header["Www-Authenticate"] = lines
		}
		return answer, err
	}), Options{Credentials: Credentials{Username: "robot", Password: "s3cret"}})
	r.Client.(*telling).Client.(oneToken).BlockedRealmPrefixes = []netip.Prefix{} // so that no name is looked up
	if _, err := allTags(t, r); err != nil && strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error holds the password: %v", err)
	}
}

// TestTheLoginThatIsAnswered: of several challenges, in whatever order and form, the one that is spoken; without a login, and
// where none is spoken, the run says so.
func TestTheLoginThatIsAnswered(t *testing.T) {
	const bearer = `Bearer realm="https://registry.test/token",service="s"`
	robot := Credentials{Username: "robot", Password: "s3cret"}
	for name, c := range map[string]struct {
		lines      []string
		given      Credentials
		asked      string // the schemes of the logins that were sent, in order
		says, hint string
	}{
		"Negotiate and Basic":                  {[]string{"Negotiate", `Basic realm="x"`}, robot, " Basic", "", ""},
		"in one header":                        {[]string{`Negotiate, Basic realm="x"`}, robot, " Basic", "", ""},
		"in lower case":                        {[]string{`negotiate, basic realm="x"`}, robot, " Basic", "", ""},
		"Basic and Bearer":                     {[]string{`Basic realm="x"`, bearer}, robot, " Basic Bearer", "", ""},
		"Bearer and Basic, in one header":      {[]string{bearer + `, Basic realm="x"`}, robot, " Basic Bearer", "", ""},
		"a Bearer that goes astray, and Basic": {[]string{`Bearer realm="http://evil.test/token"`, `Basic realm="x"`}, robot, " Basic", "", ""},
		"Basic without a login":                {[]string{`Basic realm="x"`}, Credentials{}, "", "401: a login is needed, none was given", "set username and password"},
		"two without a login":                  {[]string{"Negotiate", `Basic realm="x"`}, Credentials{}, "", "401: a login is needed, none was given", "set username and password"},
		"Negotiate only":                       {[]string{"Negotiate"}, robot, "", "the registry offers Negotiate only, and this program speaks Bearer and Basic", "no login was sent"},
		"several of others":                    {[]string{"Negotiate, NTLM", `Digest realm="x"`, "negotiate"}, robot, "", "the registry offers Negotiate, NTLM and Digest only", "no login was sent"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			r := openCanned(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				scheme, _, _ := strings.Cut(req.Header.Get("Authorization"), " ")
				asked = append(asked, scheme)
				answer := canned{http.StatusOK, "application/json", `{"token":"t","tags":["a"]}`}
				if scheme == "" {
					answer = canned{status: http.StatusUnauthorized}
				}
				resp, err := answer.RoundTrip(req)
				resp.Header["Www-Authenticate"] = slices.Clone(c.lines)
				return resp, err
			}), Options{Credentials: c.given})
			tags, err := allTags(t, r)
			if got := strings.Join(asked, " "); got != c.asked {
				t.Errorf("logins %q, want %q", got, c.asked)
			}
			if c.says != "" {
				checkHint(t, err, c.says, c.hint)
			} else if err != nil || len(tags) != 1 {
				t.Errorf("tags %q, %v", tags, err)
			}
		})
	}
}

// Another server's 401 is no error of ours: its schemes are not the registry's, and none is answered.
func TestSchemesOfAnotherServer(t *testing.T) {
	t2 := challenged{ref: Reference{Host: "registry.example", Repository: "a/b"}}
	for asked, refused := range map[string]bool{
		"https://registry.example/v2/a/b/tags/list": true,
		"https://registry.example/token":            false,
		"https://storage.example/v2/a/b/blobs/x":    false,
	} {
		header, err := challengedBy(t, t2, asked, "Negotiate")
		if (err != nil) != refused || header != "" {
			t.Errorf("%s: %q, %v", asked, header, err)
		}
	}
	hub := challenged{ref: Reference{Host: "docker.io", Repository: "a/b"}}
	if _, err := challengedBy(t, hub, "https://registry-1.docker.io/v2/a/b/tags/list", "Negotiate"); err == nil {
		t.Error("Docker Hub's own API is not taken for its own")
	}
}

// TestATokenIsNoBasicLogin: Docker's configuration may have only a token, and Basic wants a user and a password.
func TestATokenIsNoBasicLogin(t *testing.T) {
	r := openCanned(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		resp, err := canned{status: http.StatusUnauthorized}.RoundTrip(req)
		resp.Header.Set("WWW-Authenticate", `Basic realm="x"`)
		return resp, err
	}), Options{})
	writeDocker(t, `{"auths":{"registry.test":{"identitytoken":"s3cret"}}}`)
	r, err := OpenRegistry(r.ref, r.o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = allTags(t, r)
	checkHint(t, err, "401: the registry wants a user name and a password (Basic)", "set username and password")
}
