package vendors

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each part of a row names the page that tells it, or says that none does and then has nothing.
func TestSources(t *testing.T) {
	names := map[string]bool{}
	for _, v := range Table {
		if names[v.Name] {
			t.Errorf("%s is in the table twice", v.Name)
		}
		names[v.Name] = true
		row := reflect.ValueOf(v)
		for i := range row.NumField() {
			part, name := row.Field(i), v.Name+": "+row.Type().Field(i).Name
			if part.Kind() != reflect.Struct {
				continue
			}
			source := part.FieldByName("Source").String()
			if source == NotTold {
				bare := reflect.New(part.Type()).Elem()
				bare.FieldByName("Source").SetString(NotTold)
				if !reflect.DeepEqual(bare.Interface(), part.Interface()) {
					t.Errorf("%s: nobody tells it, and it says %+v", name, part.Interface())
				}
				continue
			}
			for _, address := range strings.Fields(source) {
				if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" || u.Path == "" {
					t.Errorf("%s: the source %q is no address", name, address)
				}
			}
			if source == "" {
				t.Errorf("%s: no source; where none is known, say %q", name, NotTold)
			}
		}
	}
}

// unfilled is the name of something that a request has.
var unfilled = regexp.MustCompile(`\{\w+\}`)

// Details of answers are JSON, whatever is filled in.
func TestAnswersAreInTheSpecificationsForm(t *testing.T) {
	for _, v := range Table {
		for name, a := range map[string]Answer{
			"a new list": v.NewList, "a new upload": v.NewUpload, "no manifest": v.NoManifest, "denied": v.Denied,
			"throttled": v.Throttled, "immutable": v.Immutable.Answer, "delete": v.Delete.Answer, "too large a page": v.Page.Above,
		} {
			w := httptest.NewRecorder()
			r := parse(httptest.NewRequest(http.MethodGet, "/v2/acme/fleet/manifests/1.0.0", nil), nil)
			New(v, Options{}).answer(w, r, a.or(plain.denied))
			var body struct {
				Errors []struct{ Code, Message string }
			}
			if w.Body.Len() > 0 && a.Text == "" && (json.Unmarshal(w.Body.Bytes(), &body) != nil || len(body.Errors) != 1) {
				t.Errorf("%s, %s: %s", v.Name, name, w.Body)
			}
			if said := w.Body.String() + strings.Join(w.Header()["Www-Authenticate"], " "); unfilled.MatchString(said) {
				t.Errorf("%s, %s: not filled in: %s", v.Name, name, said)
			}
			if (w.Code == http.StatusUnauthorized) != (w.Header().Get("Www-Authenticate") != "") {
				t.Errorf("%s, %s: %d with the challenges %q", v.Name, name, w.Code, w.Header()["Www-Authenticate"])
			}
		}
	}
}

// What a client that follows every Link, or asks for what comes after the last tag where there is none, gets is all tags once.
func TestListsAreWhole(t *testing.T) {
	var want []string
	for _, a := range "0123456789abcdefghijklm" {
		for _, b := range "abcdefg" {
			want = append(want, string([]rune{a, b}))
		}
	}
	slices.Sort(want)
	for _, v := range Table {
		for _, query := range []string{"", "n=7", "n=160", "n=161", "n=1000", "n=2000"} {
			g := New(v, Options{})
			g.Put("acme/fleet", []byte(`{"mediaType":"application/vnd.oci.image.manifest.v1+json"}`), want...)
			got, status := readList(t, g, query)
			if above := v.Page.Above.Status; above != 0 && query == "n=2000" {
				if status != above {
					t.Errorf("%s, %s: %d, want %d", v.Name, query, status, above)
				}
				continue
			}
			if slices.Sort(got); !slices.Equal(got, want) || status != http.StatusOK {
				t.Errorf("%s, %q: %d, %d tags %q", v.Name, query, status, len(got), got)
			}
		}
	}
}

// readList reads a list, past any login.
func readList(t *testing.T, g *Registry, query string) (tags []string, status int) {
	t.Helper()
	address := "/v2/acme/fleet/tags/list?" + query
	for {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, address, nil)
		g.listTags(w, parse(r, nil))
		body, err := io.ReadAll(w.Result().Body)
		if err != nil {
			t.Fatal(err)
		}
		var page struct{ Tags []string }
		if w.Code != http.StatusOK {
			return nil, w.Code
		}
		if err := json.Unmarshal(body, &page); err != nil {
			t.Fatal(err)
		}
		tags = append(tags, page.Tags...)
		link := w.Header().Get("Link")
		n := r.URL.Query().Get("n")
		switch {
		case link != "":
			target, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
			u, err := url.Parse(target)
			if err != nil {
				t.Fatal(err)
			}
			address = u.RequestURI()
		case g.vendor.Link.Form == NoLink && n != "" && len(page.Tags) > 0:
			address = "/v2/acme/fleet/tags/list?" + url.Values{"n": {n}, "last": {page.Tags[len(page.Tags)-1]}}.Encode()
		default:
			return tags, w.Code
		}
	}
}
