package registrytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

// Stall lets the request wait before it is served. A client that goes away ends the wait, and is not served.
func Stall(d time.Duration) Interceptor {
	return func(w http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
		body, err := io.ReadAll(r.Body) // before that, the server does not see a client go
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		wait(r.Context(), d)
		if r.Context().Err() != nil {
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	}
}

// Delayed is Stall with a time of its own for each request: see RandomDelay.
func Delayed(delay func() time.Duration) Interceptor {
	return func(w http.ResponseWriter, r *http.Request, n int, next http.Handler) { Stall(delay())(w, r, n, next) }
}

// Truncated sends half of the answer's body, under the length of the whole, and closes the connection. An answer
// without a body breaks off after its headers, which no client can tell from a whole one.
func Truncated(w http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
	answer := record(next, r)
	body := answer.Body.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// Rewritten changes what the registry answers where it does what was asked (a status of 2xx). The length of the new
// body is sent with it, and nothing of it in answer to a HEAD.
func Rewritten(change func(header http.Header, body []byte) []byte) Interceptor {
	return func(w http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
		answer := record(next, r)
		body := answer.Body.Bytes()
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		if answer.Code/100 == 2 {
			body = change(w.Header(), body)
			if r.Method != http.MethodHead {
				w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			}
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body)
	}
}

func record(next http.Handler, r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	return answer
}

// TagPages answers tag lists in place of the registry: with the page of number i, from 0, and a Link to the next
// one if there are more. A client that shows no token is left to the registry.
func TagPages(page func(repo string, i int) (tags []string, more bool)) Interceptor {
	return func(w http.ResponseWriter, r *http.Request, _ int, next http.Handler) {
		repo, isList := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/v2/"), "/tags/list")
		if !isList || r.Header.Get("Authorization") == "" {
			next.ServeHTTP(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		i, _ := strconv.Atoi(r.FormValue("page")) // the first has none
		tags, more := page(repo, i)
		if more {
			w.Header().Set("Link", fmt.Sprintf(`<%s?page=%d>; rel="next"`, r.URL.Path, i+1))
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"name": repo, "tags": tags})
	}
}
