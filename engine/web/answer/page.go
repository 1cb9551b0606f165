package answer

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"yagura/engine/web"
	"yagura/store/desk"
)

//go:embed answer.html
var files embed.FS

const formMost = 8 << 10 // bytes of a posted form; 200 characters in any encoding are far less

type pages struct {
	template *template.Template
	words    map[string]*words
}

func parsePages() (*pages, error) {
	t, err := web.Templates(files, "answer.html")
	if err != nil {
		return nil, err
	}
	return &pages{template: t, words: map[string]*words{"ja": japanese(), "en": english()}}, nil
}

// view is everything a page of this room can show. Nothing in it comes from the roster. // SEC-17.1
type view struct {
	W           *words
	Subject     string // with its stamp; empty when the dispatch is not in memory
	Known       bool   // the mode is known, so nothing need be said about drills
	Form        bool
	Done        *done
	Wrong, Help string
	Comment     string
	Safeties    []choice
	Attendances []choice
}

type done struct{ Safety, Attendance, At, Receipt string }

type choice struct {
	Name, Value, Text string
	Picked            bool
}

// visit is one request with what was found out about it.
type visit struct {
	w       http.ResponseWriter
	r       *http.Request
	words   *words
	now     time.Time
	token   desk.Token
	heading desk.Heading // zero when not known
}

func (s *Service) visit(w http.ResponseWriter, r *http.Request) *visit {
	lang := language(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	w.Header().Set("Vary", "Accept-Language")
	return &visit{w: w, r: r, words: s.pages.words[lang], now: s.o.Now()}
}

// serve is the whole of /r/{token}: GET and HEAD show, POST records, whatever a link scanner does. // reliability.md 3.3
//
// There is no check of Origin or Referer: mail apps open pages without either, or with "null", and our own Referrer-Policy
// makes browsers post with "Origin: null". Nothing is lost by it. Such checks guard a cookie that a foreign page makes the
// browser send along; here the only authority is the token in the address, which a foreign page does not have.
func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	v := s.visit(w, r)
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		s.notice(v, http.StatusMethodNotAllowed, v.words.Method, v.words.MethodHelp)
		return
	}
	// Mail apps take a full stop or a bracket behind an address for a part of it.
	text := strings.TrimRight(r.PathValue("token"), ".,;:!?>)]}\"' 。、」』）＞　")
	var err error
	if v.token, err = s.o.Keys.Verify(text, v.now); err != nil {
		s.refuse(v, err)
		return
	}
	v.heading = s.headingOf(r.Context(), v.token.DispatchID)
	if r.Method == http.MethodPost {
		s.post(v)
		return
	}
	s.form(v, http.StatusOK, desk.Response{}, "", "")
}

// refuse answers a link that is not ours or too old. The same page and the same work for every forged one; after too many from
// one network only the status differs, and valid links from there are served as ever.
func (s *Service) refuse(v *visit, err error) {
	s.refused.Add(1)
	if desk.KindOf(err) == desk.Stale {
		s.notice(v, http.StatusGone, v.words.Expired, v.words.ExpiredHelp)
		return
	}
	status := http.StatusForbidden
	if !s.badLink.Allow(web.Network(v.r.RemoteAddr), v.now) {
		v.w.Header().Set("Retry-After", "60")
		status = http.StatusTooManyRequests
	}
	s.notice(v, status, v.words.Forged, v.words.ForgedHelp)
}

// post takes an answer. Whatever can be understood is taken; what cannot is shown again with what was chosen.
func (s *Service) post(v *visit) {
	if kind := v.r.Header.Get("Content-Type"); kind != "" {
		if media, _, err := mime.ParseMediaType(kind); err != nil || media != "application/x-www-form-urlencoded" {
			s.notice(v, http.StatusUnsupportedMediaType, v.words.Format, v.words.FormatHelp)
			return
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.w, v.r.Body, formMost))
	if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
		s.notice(v, http.StatusRequestEntityTooLarge, v.words.TooBig, v.words.TooBigHelp)
		return
	}
	if err != nil {
		s.notice(v, http.StatusBadRequest, v.words.Format, v.words.FormatHelp)
		return
	}
	answer, cut := readForm(string(body))
	answer.DispatchID, answer.PersonID = v.token.DispatchID, v.token.PersonID
	answer.Nonce, answer.Channel = newNonce(), channelLink
	answer.ReceivedAt = v.now.UTC().Truncate(time.Microsecond) // as the database keeps it
	if answer.Validate() != nil {
		wrong := v.words.ChooseAttend
		if answer.Safety == "" {
			wrong = v.words.ChooseSafety
		}
		s.form(v, http.StatusUnprocessableEntity, answer, wrong, "")
		return
	}
	if !s.posts.Allow(personKey{answer.DispatchID, answer.PersonID}, v.now) {
		v.w.Header().Set("Retry-After", "60")
		s.form(v, http.StatusTooManyRequests, answer, v.words.TooMany, v.words.TooManyHelp)
		return
	}
	if err := s.record(v.r.Context(), answer); err != nil {
		v.w.Header().Set("Retry-After", "30")
		s.form(v, http.StatusServiceUnavailable, answer, v.words.Unsaved, v.words.UnsavedHelp)
		return
	}
	s.done(v, answer, cut)
}

// readForm takes the first value of each field. A choice that is none of ours counts as not chosen; the comment is cleaned and
// cut rather than refused, and cut says so. A broken escape in one field does not spoil the others.
func readForm(body string) (r desk.Response, cut bool) {
	form, _ := url.ParseQuery(body)
	for _, s := range desk.Safeties() {
		if form.Get("safety") == string(s) {
			r.Safety = s
		}
	}
	for _, a := range desk.Attendances() {
		if form.Get("attendance") == string(a) {
			r.Attendance = a
		}
	}
	lines := strings.ReplaceAll(form.Get("comment"), "\r\n", "\n")
	r.Comment = strings.TrimSpace(desk.CleanText(strings.ToValidUTF8(lines, ""), true))
	if utf8.RuneCountInString(r.Comment) > desk.MaxComment {
		r.Comment, cut = strings.TrimSpace(string([]rune(r.Comment)[:desk.MaxComment])), true
	}
	return r, cut
}

func (s *Service) form(v *visit, status int, chosen desk.Response, wrong, help string) {
	c := &view{W: v.words, Form: true, Wrong: wrong, Help: help, Comment: chosen.Comment}
	for _, safety := range desk.Safeties() {
		c.Safeties = append(c.Safeties, choice{"safety", string(safety), v.words.safety(safety), safety == chosen.Safety})
	}
	for _, a := range desk.Attendances() {
		c.Attendances = append(c.Attendances, choice{"attendance", string(a), v.words.attendance(a), a == chosen.Attendance})
	}
	s.render(v, status, c)
}

func (s *Service) done(v *visit, r desk.Response, cut bool) {
	c := &view{W: v.words, Comment: r.Comment, Done: &done{
		Safety: v.words.safety(r.Safety), Attendance: v.words.attendance(r.Attendance), At: v.words.at(r.ReceivedAt),
		Receipt: fmt.Sprintf("%X-%X", r.Nonce[:2], r.Nonce[2:4]),
	}}
	if cut {
		c.Help = v.words.Cut
	}
	if r.Safety == desk.SafetySerious {
		c.Wrong = v.words.Rescue
	}
	s.render(v, http.StatusOK, c)
}

func (s *Service) notice(v *visit, status int, wrong, help string) {
	s.render(v, status, &view{W: v.words, Wrong: wrong, Help: help})
}

func (s *Service) notFound(w http.ResponseWriter, r *http.Request) {
	v := s.visit(w, r)
	s.notice(v, http.StatusNotFound, v.words.NotFound, v.words.NotFoundHelp)
}

func (s *Service) render(v *visit, status int, c *view) {
	p := web.Page{Lang: v.words.Lang, Title: v.words.Title, Content: c}
	if mode := v.heading.Mode; mode != "" {
		stamp := v.words.stamp(mode)
		c.Known, c.Subject, p.Banner = true, stamp+v.heading.Subject, v.words.banner(mode)
		p.Title = stamp + p.Title
	}
	web.Render(v.w, s.log, status, s.pages.template, p)
}
