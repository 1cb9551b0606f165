// Package web is the page shell: one layout, one stylesheet, the headers, limits and TLS that every page of Yagura shares.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

//go:embed layout.html style.css
var files embed.FS

// Policy is the Content-Security-Policy of a kind of page.
type Policy string

const (
	// AdminPolicy is for pages with our own script and live updates; nothing comes from another host. // SEC-17.1 SEC-18
	AdminPolicy Policy = "default-src 'self'; object-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	// AnswerPolicy is for the staff page: a form and our stylesheet, nothing else, no script at all.
	AnswerPolicy Policy = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

// Page is what the layout needs to know; Content is handed to the page's own "main" template.
type Page struct {
	Lang    string // "ja" or "en"
	Title   string
	Banner  string // what a drill page says above everything; empty for a live one (law 4)
	Content any
}

// Templates parses the layout with one page file, which defines "main". A broken template is an error at start, never in a request.
func Templates(pages fs.FS, name string) (*template.Template, error) {
	t := template.New("layout.html").Funcs(template.FuncMap{"stylesheet": StylesheetPath})
	t, err := t.ParseFS(files, "layout.html")
	if err != nil {
		return nil, err
	}
	return t.ParseFS(pages, name)
}

// Render writes a whole page or, when the template fails, a plain 500. The page is built first, so that the status is true and
// the length is known.
func Render(w http.ResponseWriter, log *slog.Logger, status int, t *template.Template, p Page) {
	var body bytes.Buffer
	if err := t.ExecuteTemplate(&body, "layout.html", p); err != nil {
		log.Error("ページを組み立てられませんでした", "err", err)
		http.Error(w, "内部の誤りです。少し待ってやり直してください。\nInternal error. Please try again.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	h.Set("Content-Language", p.Lang)
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the reader may be gone; there is nobody left to tell
}

func stylesheet() []byte {
	css, _ := files.ReadFile("style.css") // embedded: cannot fail
	return css
}

// StylesheetPath is where the stylesheet is served; the name changes with the content, so it may be kept for ever.
func StylesheetPath() string {
	sum := sha256.Sum256(stylesheet())
	return "/assets/yagura." + hex.EncodeToString(sum[:6]) + ".css"
}

// Stylesheet serves the stylesheet. It is the only thing a browser may keep: it says nothing about anybody. // S8-2
func Stylesheet() http.Handler {
	css := stylesheet()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeContent(w, r, "style.css", time.Time{}, bytes.NewReader(css))
	})
}

// Harden puts the security headers on every response, no-store unless the handler says otherwise, and turns a panic of a
// handler into one 500 and a log line. // S8-2 SEC-13
func Harden(next http.Handler, policy Policy, tls bool, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", string(policy))
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer") // the link is a secret and must not travel
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		if tls {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		defer func() {
			if v := recover(); v != nil {
				log.Error("ページの処理が異常終了しました", "panic", v) // never the path: it holds the token
				http.Error(w, "内部の誤りです。少し待ってやり直してください。\nInternal error. Please try again.", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
