package flux

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

const (
	// soon is what a thing that was asked for may take on a machine that is busy with compilers; it takes a second or two.
	soon = 2 * time.Minute
	// byItself is soon and the longest interval of a source in the examples, with Flux's own scatter.
	byItself = soon + 2*time.Minute
)

// until waits for a condition and gives the time it took. Of one that does not come it says what it saw last.
func until(t *testing.T, limit time.Duration, what string, holds func() (seen string, ok bool)) time.Duration {
	t.Helper()
	start := time.Now()
	for {
		seen, ok := holds()
		took := time.Since(start)
		if ok {
			return took
		}
		if took > limit {
			t.Fatalf("waited %s for %s; at last:\n%s", limit, what, seen)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// answers waits until a URL is answered with 200.
func answers(t *testing.T, client *http.Client, url, token string) {
	t.Helper()
	until(t, soon, url, func() (string, bool) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := client.Do(request)
		if err != nil {
			return err.Error(), false
		}
		defer response.Body.Close()
		return fmt.Sprint(response.Status), response.StatusCode == http.StatusOK
	})
}
