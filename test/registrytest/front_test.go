package registrytest

import (
	"io"
	"net/http"
	"testing"
)

// TestFront: what is asked of any registry is in the log and may be intercepted; its disk is nobody's to read.
func TestFront(t *testing.T) {
	s := Front(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	s.Intercept(On(http.MethodGet, "/broken", Status(http.StatusTeapot, nil, "")))
	for path, want := range map[string]int{"/v2/": http.StatusOK, "/broken": http.StatusTeapot} {
		response, err := http.Get("http://" + s.Host + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != want || want == http.StatusOK && string(body) != path {
			t.Errorf("%s: %d %q, %v", path, response.StatusCode, body, err)
		}
	}
	if log := s.Requests(); len(log) != 2 || log[0].Status == 0 {
		t.Errorf("the log is %v", log)
	}
	defer func() {
		if recover() == nil {
			t.Error("it says that there are no tags, and cannot know")
		}
	}()
	s.Tags("acme/fleet")
}
