package trigger

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

const id = "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"

// recorded is an event in GitHub's documented form, shortened.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	event, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func head(id, timestamp string) []byte {
	return fmt.Appendf(nil, `{"head_commit":{"id":%q,"timestamp":%q}}`, id, timestamp)
}

func TestHeadCommit(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 2, 17, 0, time.UTC)
	tests := []struct {
		name  string
		event []byte
		want  Commit
	}{
		{"push", recorded(t, "push.json"), Commit{id, at}},
		{"push that deletes a branch", recorded(t, "push-deleted.json"), Commit{}},
		{"time in UTC", head(id, "2026-11-23T09:02:17Z"), Commit{id, at}},
		{"time west of UTC", head(id, "2026-11-22T23:32:17-09:30"), Commit{id, at}},
		{"another event", []byte(`{"action":"opened","number":1,"pull_request":{}}`), Commit{}},
		{"no event", []byte(`{}`), Commit{}},
		{"null", []byte(`null`), Commit{}},
		{"head_commit of another object", []byte(`{"workflow_run":{"head_commit":{"id":"` + id + `"}}}`), Commit{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := HeadCommit(test.event)
			if err != nil || got.ID != test.want.ID || !got.Time.Equal(test.want.Time) || got.Time.Location() != time.UTC {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func TestHeadCommitUnreadable(t *testing.T) {
	const timestamp = "2026-11-23T09:02:17Z"
	tests := []struct {
		name  string
		event []byte
		want  string // part of the error
	}{
		{"short id", head(id[:7], timestamp), `head_commit.id "59b20b8"`},
		{"id of 41 digits", head(id+"0", timestamp), "40 hex digits"},
		{"id in upper case", head(strings.ToUpper(id), timestamp), "40 hex digits"},
		{"id with a line break", head(id+"\n", timestamp), "40 hex digits"},
		{"id that is a command", head("::error::x", timestamp), "40 hex digits"},
		{"no id", []byte(`{"head_commit":{"timestamp":"` + timestamp + `"}}`), `head_commit.id ""`},
		{"nothing at all", []byte(`{"head_commit":{}}`), `head_commit.id ""`},
		{"no time", []byte(`{"head_commit":{"id":"` + id + `"}}`), `head_commit.timestamp ""`},
		{"time without a zone", head(id, "2026-11-23T09:02:17"), "head_commit.timestamp"},
		{"time in seconds", head(id, "1795424537"), "head_commit.timestamp"},
		{"no such day", head(id, "2026-02-30T09:02:17Z"), "head_commit.timestamp"},
		{"time as a number", []byte(`{"head_commit":{"id":"` + id + `","timestamp":1795424537}}`), "head_commit.timestamp"},
		{"head_commit as a text", []byte(`{"head_commit":"` + id + `"}`), "head_commit"},
		{"not JSON", []byte("ref: refs/heads/main"), "reading the event"},
		{"cut short", recorded(t, "push.json")[:200], "reading the event"},
		{"a list", []byte(`[]`), "reading the event"},
		{"empty", nil, "reading the event"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := HeadCommit(test.event)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "reading the event") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %+v, %v; want an error with %q", got, err, test.want)
			}
			if got != (Commit{}) {
				t.Errorf("got %+v with an error", got)
			}
		})
	}
}

func FuzzHeadCommit(f *testing.F) {
	f.Add(recorded(f, "push.json"))
	f.Add(recorded(f, "push-deleted.json"))
	f.Add(head(id, "9999-12-31T23:59:59-23:59"))
	f.Add(head(id, "0000-01-01T00:00:00+23:59"))
	f.Add([]byte(`{"head_commit":{"id":null,"timestamp":null}}`))
	f.Add([]byte(`{"HEAD_COMMIT":{"ID":"` + id + `","Timestamp":""}}`))
	f.Fuzz(func(t *testing.T, event []byte) {
		got, err := HeadCommit(event)
		switch {
		case err != nil:
			if got != (Commit{}) {
				t.Errorf("got %+v with %v", got, err)
			}
		case got == (Commit{}):
		case len(got.ID) != 40 || strings.Trim(got.ID, "0123456789abcdef") != "":
			t.Errorf("the id is %q", got.ID)
		case got.Time.Location() != time.UTC:
			t.Errorf("the time is %s", got.Time)
		}
	})
}
