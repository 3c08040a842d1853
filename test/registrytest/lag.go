package registrytest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Lag hides each tag from all readings for d after the first write of it, as a registry does whose readings trail its
// writes. A tag that is written again while it is hidden stays hidden no longer than that.
func Lag(d time.Duration) Interceptor {
	l := &lag{d: d, shown: map[string]time.Time{}}
	return func(w http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
		repo, tag, isManifest := strings.Cut(r.URL.Path, "/manifests/")
		list, isList := strings.CutSuffix(r.URL.Path, "/tags/list")
		switch {
		case isManifest && r.Method == http.MethodPut:
			l.write(repo+":"+tag, func() { next.ServeHTTP(w, r) })
		case isManifest && l.hides(repo+":"+tag):
			w.Header().Set("Content-Type", "application/json")
			answerError(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
		case isList:
			l.list(w, list, func(w http.ResponseWriter) { next.ServeHTTP(w, r) })
		default:
			next.ServeHTTP(w, r)
		}
	}
}

type lag struct {
	d     time.Duration
	mu    sync.Mutex
	shown map[string]time.Time // by repository and tag: from when it is shown
}

// write hides the tag before it can be read, and counts from when it could, by the first of several writes at once.
func (l *lag) write(tag string, do func()) {
	l.show(tag, time.Hour)
	do()
	l.show(tag, l.d)
}

func (l *lag) show(tag string, in time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, known := l.shown[tag]; !known || at.After(time.Now().Add(in)) {
		l.shown[tag] = time.Now().Add(in)
	}
}

func (l *lag) hides(tag string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.shown[tag])
}

// list answers with what is left of a page.
func (l *lag) list(w http.ResponseWriter, repo string, ask func(http.ResponseWriter)) {
	answer := httptest.NewRecorder()
	ask(answer)
	body := answer.Body.Bytes()
	var page struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}
	if answer.Code == http.StatusOK && json.Unmarshal(body, &page) == nil {
		page.Tags = slices.DeleteFunc(page.Tags, func(tag string) bool { return l.hides(repo + ":" + tag) })
		body, _ = json.Marshal(page) // strings only
	}
	for name, values := range answer.Header() {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body)
}
