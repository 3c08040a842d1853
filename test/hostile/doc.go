// Package hostile attacks the real program with text from outside and with servers that want its secrets
// (promise 11 of the design).
package hostile
