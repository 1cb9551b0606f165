package main

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

//go:embed profiles/*.json
var shippedProfiles embed.FS

// Profile is 模擬事業者: one lane and how it behaves, read from one file.
type Profile struct {
	Lane      string    `json:"lane"`
	Name      string    `json:"name"`
	Domains   []string  `json:"domains"`  // example domains only; the lane desk.DefaultLane takes all others too
	Sessions  int       `json:"sessions"` // what the engine should use
	Share     float64   `json:"share"`    // of the addresses of the seeded roster
	Behaviour Behaviour `json:"behaviour"`
}

// Behaviour is how a carrier answers. Shares run from 0 to 1; who is hit is decided by a hash of the mailbox, so every run is alike.
type Behaviour struct {
	ReplyDelayMS int     `json:"reply_delay_ms,omitempty"` // before every answer
	EndDelayMS   int     `json:"end_delay_ms,omitempty"`   // more, before the answer to the final dot
	GreylistMS   int     `json:"greylist_ms,omitempty"`    // the first try of a mailbox is told to come back after this
	Temporary    float64 `json:"temporary,omitempty"`      // 4xx at RCPT, drawn anew at every try
	Unknown      float64 `json:"unknown,omitempty"`        // 550 at RCPT, always the same mailboxes
	RefuseData   float64 `json:"refuse_data,omitempty"`    // 550 after DATA, always the same mailboxes
	Reset        float64 `json:"reset,omitempty"`          // the mail is kept and the line is cut instead of a 250, drawn anew at every try
	SilentDrop   float64 `json:"silent_drop,omitempty"`    // 250, and the mail is never seen again; always the same mailboxes
	MaxSessions  int     `json:"max_sessions,omitempty"`   // 421 above; 0 = no limit
	NoPipelining bool    `json:"no_pipelining,omitempty"`
}

func (b Behaviour) replyDelay() time.Duration {
	return time.Duration(b.ReplyDelayMS) * time.Millisecond
}

func (b Behaviour) endDelay() time.Duration {
	return time.Duration(b.ReplyDelayMS+b.EndDelayMS) * time.Millisecond
}

// ShippedProfiles are the carriers of the demonstration.
func ShippedProfiles() ([]Profile, error) { return readProfiles(shippedProfiles, "profiles") }

// loadProfiles reads every *.json of dir, or the shipped ones when dir is empty.
func loadProfiles(dir string) ([]Profile, error) {
	if dir == "" {
		return ShippedProfiles()
	}
	return readProfiles(os.DirFS(dir), ".")
}

func readProfiles(files fs.FS, dir string) ([]Profile, error) {
	const op = "sim.profiles"
	names, err := fs.Glob(files, path.Join(dir, "*.json"))
	if err != nil {
		return nil, desk.Wrap(desk.Invalid, op, err)
	}
	var out []Profile
	for _, name := range names {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, desk.Wrap(desk.Unavailable, op, err)
		}
		var p Profile
		decoder := json.NewDecoder(strings.NewReader(string(raw)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&p); err != nil {
			return nil, desk.Errorf(desk.Invalid, op, "事業者ファイル %s が読めません: %v", name, err)
		}
		if err := p.check(name); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, desk.Errorf(desk.NotFound, op, "事業者ファイルがありません。")
	}
	slices.SortFunc(out, func(a, b Profile) int { return strings.Compare(a.Lane, b.Lane) })
	return out, nil
}

// check refuses a profile that could touch a real domain (RFC 2606).
func (p *Profile) check(name string) error {
	if p.Lane == "" || len(p.Domains) == 0 || p.Sessions < 1 || p.Sessions > 200 {
		return desk.Errorf(desk.Invalid, "sim.profiles", "事業者ファイル %s には lane、domains、sessions（1〜200）が要ります。", name)
	}
	for _, d := range p.Domains {
		if !strings.HasSuffix(d, ".example") && !strings.HasSuffix(d, ".test") {
			return desk.Errorf(desk.Invalid, "sim.profiles", "事業者ファイル %s: 使えるのは .example と .test のドメインだけです。", name)
		}
	}
	return nil
}

// carrier is the lane as the engine sees it, listening at addr.
func (p *Profile) carrier(addr net.Addr) desk.Carrier {
	at := addr.(*net.TCPAddr)
	return desk.Carrier{Lane: p.Lane, Name: p.Name, Domains: p.Domains, Host: at.IP.String(), Port: at.Port, Sessions: p.Sessions, Depth: 1}
}
