package oci

import (
	"errors"
	"io"
	"sync"
)

// replay is content that can be sent several times, by one request after the other. net/http may read on for a request
// that has its answer already, such as an early 503: that one gets no more, lest it takes bytes from the next.
type replay struct {
	content io.ReadSeeker

	mu   sync.Mutex
	turn int // whose turn it is to read; 0 before the first
}

// body gives the content from its start, and ends the turn of the body before.
func (r *replay) body() (io.ReadCloser, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn++
	if r.turn > 1 {
		if _, err := r.content.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
	}
	return turn{r, r.turn}, nil
}

// end ends the last turn: nobody reads the content after that.
func (r *replay) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn++
}

// turn is the content for one request. Closing it leaves the content open, for the next.
type turn struct {
	of *replay
	n  int
}

var errTurnOver = errors.New("the request that this content was for has ended")

func (t turn) Read(b []byte) (int, error) {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	if t.n != t.of.turn {
		return 0, errTurnOver
	}
	return t.of.content.Read(b)
}

func (t turn) Close() error { return nil }

// again is the content for the same request, sent once more.
func (t turn) again() (io.ReadCloser, error) { return t.of.body() }
