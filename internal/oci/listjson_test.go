package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"oras.land/oras-go/v2/errdef"
)

// name is a tag as encoding/json reads it, for which null is none.
type name string

func (n *name) UnmarshalJSON(text []byte) error {
	if text[0] != '"' {
		return errors.New("no name")
	}
	return json.Unmarshal(text, (*string)(n))
}

// wholeTags is what encoding/json makes of a tag list when it has all of it.
func wholeTags(body []byte) (tags []string, ok bool) {
	var page struct {
		Tags   []name          `json:"tags"`
		Errors json.RawMessage `json:"errors"`
	}
	var keys map[string]json.RawMessage
	if json.Unmarshal(body, &page) != nil || json.Unmarshal(body, &keys) != nil {
		return nil, false
	}
	var none []json.RawMessage
	if said, ok := keys["errors"]; ok && (json.Unmarshal(said, &none) != nil || len(none) > 0) {
		return nil, false
	}
	for _, tag := range page.Tags {
		tags = append(tags, string(tag))
	}
	_, ok = keys["tags"]
	return tags, ok
}

// FuzzReadTags: what is read as it comes gives the tags that encoding/json gives of the whole, or both refuse it.
func FuzzReadTags(f *testing.F) {
	for _, body := range []string{
		`{"name":"a","tags":["1.0.0","0.0.1-rc.1"]}`, `{"tags":null}`, `{"tags":[]}`, `{}`, `null`, ``, `{`, `[]`, `"tags"`, `<html>`, "\ufeff{\"tags\":[]}",
		`{"child":[],"manifest":{"sha256:a":{"tag":["a"],"imageSizeBytes":"1e999","n":1e999}},"name":"x","tags":["a"]}`, ` { "tags" : [ "a" , "b" ] } `,
		`{"tags":["a"],"tags":["b","c"]}`, `{"tags":["a"],"tags":null}`, `{"tags":[1],"tags":["a"]}`, `{"tags":[null]}`, `{"tags":"a"}`, `{"tags":{"tags":["a"]}}`, `{"a":{"tags":["a"]}}`,
		`{"tags":["a"]}x`, `{"tags":["a"]}{}`, `{"tags":["a"]}]`, `{"tags":["a"],}`, `{"tags":["a",]}`, `{"tags":["a" "b"]}`, `{"tags" ["a"]}`, `{tags:["a"]}`, `{"tags":["a"}`, `{"tags":["a"]`, `{"tags":["a`,
		`{"errors":[],"tags":["a"]}`, `{"errors":null,"tags":null}`, `{"errors":[{"code":"DENIED"}],"tags":null}`, `{"tags":["a"],"errors":{}}`, `{"errors":[1],"errors":[],"tags":[]}`,
		`{"tags":["\u0061\ud800\n"]}`, "{\"tags\":[\"\xff\"]}", "{\"tags\":[\"\n\"]}", `{"tags":["\x"]}`, `{"a":01,"tags":[]}`, `{"a":-,"tags":[]}`, `{"a":tru,"tags":[]}`, `{1:2,"tags":[]}`, `{"a":,"tags":[]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var keys map[string]json.RawMessage
		_ = json.Unmarshal(body, &keys)
		for key := range keys { // which encoding/json takes for ours, and we do not
			if key != "tags" && strings.EqualFold(key, "tags") || key != "errors" && strings.EqualFold(key, "errors") {
				return
			}
		}
		want, ok := wholeTags(body)
		for _, in := range []io.Reader{bytes.NewReader(body), iotest.OneByteReader(bytes.NewReader(body))} {
			left := int64(maxListBytes)
			got, err := readTags(in, &left)
			if (err == nil) != ok || !slices.Equal(got, want) {
				t.Errorf("%q: %q, %v; encoding/json has %q, %v", body, got, err, want, ok)
			}
			if err != nil && (len(err.Error()) > 1000 || strings.Contains(err.Error(), "\n")) {
				t.Errorf("the error is %q", err)
			}
			if err == nil && left != int64(maxListBytes-len(body)) {
				t.Errorf("%d of %d bytes were counted", maxListBytes-left, len(body))
			}
		}
	})
}

// TestNoTagList says what is wrong with an answer that is no tag list.
func TestNoTagList(t *testing.T) {
	for body, says := range map[string]string{
		``:                          "the answer is no JSON object",
		`["a"]`:                     "the answer is no JSON object",
		` <html>`:                   webPage,
		`{}`:                        `the answer has no "tags"`,
		`{"Tags":["a"]}`:            `the answer has no "tags"`,
		`{"tags":["a"`:              "the answer is cut off",
		`{"tags":["a"]`:             "the answer is cut off",
		`{"tags":["a"]}x`:           "the answer goes on after its JSON",
		`{"tags":["a"]}{"tags":[]}`: "the answer goes on after its JSON",
		`{"tags":["a" "b"]}`:        "the answer is no JSON: invalid character",
		`{"tags":"a"}`:              `its "tags" are no list`,
		`{"tags":[1]}`:              `its "tags" are no list of names`,
		`{"tags":[null]}`:           `its "tags" are no list of names`,
		`{"errors":[{"code":"DENIED","message":"no pull access"}]}`:                             `the answer has no "tags", but errors: denied: no pull access`,
		`{"errors":[{"code":"DENIED","message":"no pull access"}],"tags":null}`:                 `beside its "tags" the answer has errors: denied: no pull access`,
		`{"tags":["1.0.0"],"errors":[{"code":"UNKNOWN","message":"shard lost"}]}`:               `beside its "tags" the answer has errors: unknown: shard lost`,
		`{"tags":null,"errors":"` + strings.Repeat("é", 5000) + `"}`:                            `beside its "tags" the answer has errors: "é`,
		`{"a":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `,"tags":[]}`: "nested too deeply",
	} {
		tags, err := allTags(t, openCanned(t, canned{200, "application/json", body}, Options{}))
		if err == nil || len(tags) > 0 || len(err.Error()) > 1000 {
			t.Errorf("%.80q: %q, %v", body, tags, err)
			continue
		}
		checkHint(t, err, "200, but ", "check the host and the path")
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%.80q: %v, want one with %q", body, err, says)
		}
	}
}

// TestTagsBehindAMap: Google's registries have a map of all images before the tags. Nothing of it is kept.
func TestTagsBehindAMap(t *testing.T) {
	const images, tags, kept = 60_000, maxTags - 1, 4 << 20
	body := &long{images: images, tags: tags}
	list := roundTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: req, Body: io.NopCloser(body), ContentLength: -1}, nil
	})
	r := openCanned(t, list, Options{})
	before := heap()
	body.measure = func() int64 { return heap() - before }
	n := 0
	err := r.Tags(t.Context(), "", func(page []string) error { n += len(page); return nil })
	if err != nil || n != tags {
		t.Errorf("%d tags, %v", n, err)
	}
	if body.most > kept {
		t.Errorf("before the tags %d MiB are held; the map has %d MiB", body.most>>20, body.mapped>>20)
	}
	t.Logf("%d MiB before the tags, of which %d KiB were held", body.mapped>>20, body.most>>10)
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// long is a tag list of a Google registry, as it is read.
type long struct {
	images, tags int
	at           int
	rest         bytes.Buffer
	mapped, most int64 // bytes before the tags, and how many more were held at most meanwhile
	measure      func() int64
}

func (l *long) Read(b []byte) (int, error) {
	for l.rest.Len() == 0 {
		switch i := l.at; {
		case i == 0:
			l.rest.WriteString(`{"child":[],"manifest":{`)
		case i <= l.images:
			fmt.Fprintf(&l.rest, `"sha256:%064x":{"imageSizeBytes":"%d","layerId":"","mediaType":"application/vnd.oci.image.manifest.v1+json","tag":["0.0.1-rc.%d","sha-%07x"],"timeCreatedMs":"0","timeUploadedMs":"1767225600000"}`, i, i, i, i)
			l.rest.WriteString(map[bool]string{true: "},", false: ","}[i == l.images])
			if l.mapped += int64(l.rest.Len()); i%(l.images/4) == 0 {
				l.most = max(l.most, l.measure())
			}
		case i == l.images+1:
			l.rest.WriteString(`"name":"acme/fleet","tags":["t0"`)
		case i < l.images+1+l.tags:
			fmt.Fprintf(&l.rest, `,"t%d"`, i-l.images-1)
		case i == l.images+1+l.tags:
			l.rest.WriteString("]}")
		default:
			return 0, io.EOF
		}
		l.at++
	}
	return l.rest.Read(b)
}

// TestReadTagsIsBounded: neither a value nor a list may be of any length, wherever it stands.
func TestReadTagsIsBounded(t *testing.T) {
	endless := func(start, part string) io.Reader { return io.MultiReader(strings.NewReader(start), &repeat{part}) }
	for name, c := range map[string]struct {
		body io.Reader
		left int64
		says string
	}{
		"a long name":       {endless(`{"tags":["`, "x"), maxListBytes, "a value of more than 1 MiB"},
		"a long key":        {endless(`{"`, "x"), maxListBytes, "a value of more than 1 MiB"},
		"a long number":     {endless(`{"a":1`, "1"), maxListBytes, "a value of more than 1 MiB"},
		"a long error":      {endless(`{"errors":[`, "1,"), maxListBytes, "a value of more than 1 MiB"},
		"much space":        {endless(`{`, " "), maxListBytes, "a value of more than 1 MiB"},
		"deep":              {endless(`{"a":`, "["), maxListBytes, "nested too deeply"},
		"no end of images":  {endless(`{"manifest":[1`, ",1"), 4 << 20, "a tag list of more than 1024 MiB"},
		"no end of tags":    {endless(`{"tags":["a"`, `,"a"`), maxListBytes, "more than 1000000 tags"},
		"no end of letters": {endless(`{"tags":["a"`, `,"`+strings.Repeat("x", 100)+`"`), maxListBytes, "more than 16 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readTags(c.body, &c.left)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
			if name != "deep" && !errors.Is(err, errdef.ErrSizeExceedsLimit) {
				t.Errorf("%v is no limit", err)
			}
		})
	}
}

// repeat gives one part again and again.
type repeat struct{ part string }

func (r *repeat) Read(b []byte) (int, error) {
	n := 0
	for n+len(r.part) <= len(b) {
		n += copy(b[n:], r.part)
	}
	return n, nil
}
