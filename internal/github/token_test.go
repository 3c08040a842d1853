package github

import (
	"net/http"
	"strings"
	"testing"
)

func TestToken(t *testing.T) {
	s := serve(t, says(200, `{"status":"ahead"}`))
	if _, err := s.open(t).Compare(t.Context(), newer, older); err != nil {
		t.Fatal(err)
	}
	if got := s.asked[0].Header.Get("Authorization"); got != "Bearer "+token {
		t.Errorf("the API got the authorization %q", got)
	}
	if got := s.asked[0].Header.Get("User-Agent"); got != "oci-promote/test" {
		t.Errorf("the API got the user agent %q", got)
	}
	if strings.Contains(s.asked[0].URL.String(), token) {
		t.Error("the token stands in the URL")
	}
	r, err := Open(Options{Repository: "acme/fleet", APIURL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Compare(t.Context(), newer, older); err != nil {
		t.Fatal(err)
	}
	if got, sent := s.asked[1].Header["Authorization"]; sent {
		t.Errorf("without a token the API got the authorization %q", got)
	}
}

// Promise 11: the token goes to no other host, whoever asks for it.
func TestRedirectElsewhere(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		other := serve(t, says(200, `{"status":"ahead"}`))
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/repositories/1/compare/a...b", status)
		})
		answer, err := s.open(t).Compare(t.Context(), newer, older)
		explained(t, err, "", "comparing 1111111 with 2222222", "redirect")
		if answer != "" {
			t.Errorf("%d: the other host was believed", status)
		}
		if got := other.requests(); len(got) > 0 {
			t.Errorf("%d: the other host was asked %q with the authorization %q", status, got, other.asked[0].Header.Get("Authorization"))
		}
	}
	t.Run("by paging", func(t *testing.T) {
		other := serve(t, says(200, `{"status":"ahead"}`))
		s := serve(t, says(200, `{"status":"ahead","commits":[]}`, "Link", `<`+other.URL+`/x?page=2>; rel="next"`))
		if _, err := s.open(t).Messages(t.Context(), older, newer, "."); err == nil {
			t.Error("pages without an end are read to the end")
		}
		if got := other.requests(); len(got) > 0 {
			t.Errorf("the other host was asked %q", got)
		}
	})
}

// A repository that was renamed answers 301 with its place on the same host.
func TestRedirectAtHome(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/v3/repos/") {
			http.Redirect(w, r, "/api/v3/repositories/1/compare/x", http.StatusMovedPermanently)
			return
		}
		says(200, `{"status":"behind"}`)(w, r)
	})
	if got, err := s.open(t).Compare(t.Context(), newer, older); err != nil || got != "behind" {
		t.Errorf("got %q, %v", got, err)
	}
	if got := s.requests(); len(got) != 2 || s.asked[1].Header.Get("Authorization") != "Bearer "+token {
		t.Errorf("the API was asked %q", got)
	}
	t.Run("for ever", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })
		_, err := s.open(t).Compare(t.Context(), newer, older)
		explained(t, err, "", "redirect")
		if got := len(s.requests()); got > 6 {
			t.Errorf("it was followed %d times", got)
		}
	})
}

// A redirect that has net/http ask for something, where something was to be done, is not followed: its answer would be taken for
// the deed (docs/facts.md 41). One that has it done elsewhere at home is.
func TestRedirectOfAWrite(t *testing.T) {
	for status, follows := range map[int]bool{301: false, 302: false, 303: false, 307: true, 308: true} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasPrefix(r.URL.Path, "/api/v3/repos/"):
				http.Redirect(w, r, "/api/v3/repositories/1/x", status)
			case r.Method == http.MethodDelete:
				w.WriteHeader(http.StatusNoContent)
			case r.Method == http.MethodPost:
				says(201, `{"id":7}`)(w, r)
			default:
				says(200, `{"id":9}`)(w, r)
			}
		})
		err := s.open(t).takeBack(t.Context(), 1, 7)
		if (err == nil) != follows {
			t.Errorf("%d of a DELETE: %v", status, err)
		}
		id, err := s.open(t).post(t.Context(), 1, "x")
		if err == nil || id != 0 { // no transport gets the body of what is sent once a second time
			t.Errorf("%d of a POST: %d, %v", status, id, err)
		}
	}
	for _, status := range []int{200, 201, 202, 205} {
		if err := serve(t, says(status, "{}")).open(t).takeBack(t.Context(), 1, 7); err == nil {
			t.Errorf("%d is taken for a deletion", status)
		}
	}
}
