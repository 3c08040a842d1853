// Package vendors answers as the registries of vendors do, as far as public sources tell: a registry in memory whose words
// come from a table. It shows what the program makes of such answers, and nothing of how a vendor's service works inside.
package vendors

import "net/http"

// NotTold stands for a source where none is known. What is not told has the form of the distribution specification, or, of
// what that leaves open, of CNCF Distribution.
const NotTold = "not told"

// Vendor is a row of the table. Each part of it names the public page that tells it, or is NotTold and has nothing else.
type Vendor struct {
	Name string

	List      List      // the tag list's form
	Page      Page      // how many tags a page has
	Link      Link      // how a page leads to the next
	Login     Login     // challenges and tokens
	Manifests Manifests // what reading and writing one answers

	NewList    Answer // the list of a repository that nothing was pushed to
	NewUpload  Answer // an upload to a repository that was not created; the push makes one where this has no status
	NoManifest Answer // a manifest that there is not
	Denied     Answer // a login without the right
	Throttled  Answer // too many requests
	Immutable  Refusal
	Delete     Deletion
}

// List is the form of a tag list: an object with name and tags, in lexical order, unless it says otherwise.
type List struct {
	Source   string
	Images   bool // child, and manifest with an entry for each image, stand before the tags
	Unsorted bool // the order says nothing
	Empty    bool // a repository that was created has an empty list; without it NewList is the answer until the first push
}

// Page limits the tags of a page. Zero is no limit.
type Page struct {
	Source  string
	Unasked int    // for who asks for no number
	Cap     int    // whatever is asked for
	Above   Answer // to who asks for more than Cap; without a status he gets Cap
}

// Link says what the header Link of a page has.
type Link struct {
	Source string
	Form   LinkForm
}

// LinkForm is one of the forms below.
type LinkForm int

// The forms of a Link.
const (
	PathLink     LinkForm = iota // </v2/acme/fleet/tags/list?last=…&n=…>; rel="next"
	AbsoluteLink                 // the same with scheme and host
	NoLink                       // no header, whatever is left out
	OtherPath                    // a path that lacks the first element of the repository's name
)

// Login is how a client is asked to log in. In a challenge, {origin} and {host} are the registry's, {repo} is the
// repository, {action} what the request needs.
type Login struct {
	Source     string
	Challenges []string // one header each
	Token      string   // the token service's path; Basic is taken where a challenge names it
	Key        string   // of the token in its answer; "token" if empty
	Again      string   // the challenge to who came with a login that does not do; the same ones if empty
	ListAction string   // the right that a tag list needs; pull if empty
	Refuses    bool     // the token service answers Denied, where others give a token with fewer rights
	Creates    bool     // a token to push makes the repository
	Actions    []string // that a scope may have, where any other word is an error
}

// Manifests is what reading and writing a manifest answers.
type Manifests struct {
	Source        string
	Put           int  // the status of a write; 201 if 0
	NoDigestOnGet bool // GET by a tag has no Docker-Content-Digest
	NoLengthHead  bool // HEAD has no Content-Length
}

// Answer is an error, in the words of the specification's form. {repo}, {name} (its last element), {tag} and {action} are those of the request.
type Answer struct {
	Source        string
	Status        int
	Code, Message string
	Detail        string // JSON; none if empty
	Text          string // the body in place of all that
}

// Refusal is the answer to who moves a tag that exists, where a repository is set up so; without a status a registry cannot.
type Refusal struct {
	Answer
	Same bool // also to who writes again what the tag names
}

// Deletion is the answer to the deletion of a manifest by its digest; 202 without a status. What is deleted loses its tags.
type Deletion struct {
	Answer
	Action    string // the right that it needs; push if empty
	Tagged    bool   // the answer is that to what has tags; what has none is deleted
	Immutable bool   // what has a tag that does not move is answered as who moves that
	KeepsTags bool   // its tags stay in the list
}

// What the specification, or Distribution, answers.
var plain = struct{ newList, noManifest, denied, throttled, unauthorized, noBlob, unsupported Answer }{
	newList:      Answer{Status: http.StatusNotFound, Code: "NAME_UNKNOWN", Message: "repository name not known to registry", Detail: `{"name":"{repo}"}`},
	noManifest:   Answer{Status: http.StatusNotFound, Code: "MANIFEST_UNKNOWN", Message: "manifest unknown", Detail: `{"Tag":"{tag}"}`},
	denied:       Answer{Status: http.StatusForbidden, Code: "DENIED", Message: "requested access to the resource is denied"},
	throttled:    Answer{Status: http.StatusTooManyRequests, Code: "TOOMANYREQUESTS", Message: "too many requests"},
	unauthorized: Answer{Status: http.StatusUnauthorized, Code: "UNAUTHORIZED", Message: "authentication required"},
	noBlob:       Answer{Status: http.StatusNotFound, Code: "BLOB_UNKNOWN", Message: "blob unknown to registry"},
	unsupported:  Answer{Status: http.StatusMethodNotAllowed, Code: "UNSUPPORTED", Message: "The operation is unsupported."},
}

// plainLogin is the challenge of Distribution's token authentication.
var plainLogin = Login{
	Challenges: []string{`Bearer realm="{origin}/token",service="{host}",scope="repository:{repo}:{action}"`},
	Token:      "/token",
}

// or is the answer, or another one where this is none.
func (a Answer) or(other Answer) Answer {
	if a.Status == 0 {
		return other
	}
	return a
}
