package line

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"yagura/feeds"
	"yagura/feeds/jma"
	"yagura/store/desk"
)

// FolderName is the name of the folder as a source, in desk.Envelope.Feed.
const FolderName = "line-folder"

// Folders below the watched one. A file goes from the folder through taking to taken or refused, each step one rename.
const (
	taking  = "taking"  // claimed; what stands here at a start was not stored before a crash, and is offered again
	taken   = "taken"   // stored
	refused = "refused" // with a .reason file beside it
)

const (
	unfinished = 10 * time.Second // how long a file that looks cut off is given to become whole
	textRest   = 2 * time.Second  // a plain text has no end that can be seen: so long nothing more may have come
	toldFor    = time.Hour        // how long the desk is told of a refused file
	nameMost   = 200              // bytes of a name that are kept, so that the stamp and .reason fit beside it (NAME_MAX is 255)
	perScan    = 1000             // files taken in one scan, so that a flood is handed over in pieces
)

// FolderOptions says how a Folder works. Zero values take their defaults.
type FolderOptions struct {
	Dir       string        // the folder; it must exist, its sub-folders are made
	Every     time.Duration // scan period; 0 = 500 ms. A file is taken when two scans saw it alike
	MaxBytes  int64         // largest file; 0 = 2 × jma.MaxBytes, for a wrapper around a telegram
	Retry     time.Duration // first pause before an envelope is offered again; 0 = 500 ms
	Silence   time.Duration // Rhythm; 0 = silence never alarms
	OnTrouble func(string)  // told each new Japanese sentence for the desk, "" when all is well again; may be nil
	Log       *slog.Logger  // may be nil
	Now       func() time.Time
}

// Folder is a feeds.Source: telegram files (*.xml, *.json, *.txt) that somebody writes into a folder. A file is moved to taken only
// after it was stored, so a crash costs a second offer and never a file (law 5).
type Folder struct {
	opt FolderOptions

	mu           sync.Mutex
	health       feeds.Health
	count        int
	refusedCount int
	refusedAt    time.Time       // when a file was refused last
	last         map[string]look // of the scan before; only Run's goroutine touches it
}

// look is what a scan saw of a file.
type look struct {
	size int64
	at   time.Time
}

var (
	_ feeds.Source   = (*Folder)(nil)
	_ feeds.Reporter = (*Folder)(nil)
)

// NewFolder makes a folder source; nothing is read before Run.
func NewFolder(o FolderOptions) *Folder {
	o.Every = cmp.Or(o.Every, 500*time.Millisecond)
	o.MaxBytes = cmp.Or(o.MaxBytes, 2*jma.MaxBytes)
	o.Retry = cmp.Or(o.Retry, 500*time.Millisecond)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.OnTrouble == nil {
		o.OnTrouble = func(string) {}
	}
	return &Folder{opt: o, last: map[string]look{}}
}

// Name is FolderName.
func (f *Folder) Name() string { return FolderName }

// Rhythm is what was configured: nobody knows how often a contracted receiver writes.
func (f *Folder) Rhythm() time.Duration { return f.opt.Silence }

// Health tells the last scan as LastContact.
func (f *Folder) Health() feeds.Health {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.health
	h.Detail = fmt.Sprintf("受領 %d 件", f.count)
	if f.refusedCount > 0 {
		h.Detail += fmt.Sprintf("・拒否 %d 件", f.refusedCount)
	}
	return h
}

// Run scans until ctx ends, and returns ctx.Err(). A folder that cannot be read is tried again with each scan.
func (f *Folder) Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	tick := time.NewTicker(f.opt.Every)
	defer tick.Stop()
	for ctx.Err() == nil {
		err := f.scan(ctx, out)
		f.note(ctx, err)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return ctx.Err()
}

func (f *Folder) note(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	const away = "専用線の電文フォルダを読み書きできません。"
	f.mu.Lock()
	text := ""
	switch {
	case err != nil:
		f.opt.Log.Warn("folder cannot be read", "source", FolderName, "err", err)
		text = away
	case f.refusedCount > 0 && f.opt.Now().Sub(f.refusedAt) < toldFor: // law 1: shown, never dropped
		text = "専用線の電文フォルダに受け付けられないファイルが届きました。refused フォルダの中身を確かめてください。"
	}
	changed := f.health.Trouble != text
	if err == nil && f.health.Trouble == away {
		f.health.Reconnects++
	}
	f.health.Trouble = text
	if err == nil {
		f.health.LastContact = f.opt.Now()
	}
	f.mu.Unlock()
	if changed {
		f.opt.OnTrouble(text)
	}
}

// scan takes every file that two scans saw alike, what was claimed before a crash first.
func (f *Folder) scan(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	root, err := os.OpenRoot(f.opt.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, dir := range []string{taking, taken, refused} {
		if err := root.Mkdir(dir, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	left, err := files(root, taking)
	if err != nil {
		return err
	}
	var troubles []error // of single files: they do not hold up the others
	for _, file := range left {
		troubles = append(troubles, f.take(ctx, root, file.name, out))
	}
	found, err := files(root, ".")
	if err != nil {
		return err
	}
	before := f.last
	f.last = make(map[string]look, len(found))
	for _, file := range found {
		f.last[file.name] = file.look
	}
	for _, file := range found[:min(len(found), perScan)] {
		if ctx.Err() != nil {
			break
		}
		if was, ok := before[file.name]; !ok || was != file.look || !f.finished(root, file) {
			continue
		}
		claimed, err := f.claim(root, file.name)
		if err == nil {
			err = f.take(ctx, root, claimed, out)
		}
		troubles = append(troubles, ignoreGone(err))
	}
	return errors.Join(troubles...)
}

// ignoreGone: its writer took it back, or another engine was first.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// claim renames a file into taking, under a name nothing there has, so that nobody else's file is ever overwritten.
func (f *Folder) claim(root *os.Root, name string) (string, error) {
	stamp, kept := f.opt.Now().UTC().Format(stampForm), name
	if len(name) > nameMost {
		kept = strings.ToValidUTF8(name[:nameMost-len(path.Ext(name))], "") + path.Ext(name)
	}
	for i := range 1000 {
		to := fmt.Sprintf("%s-%d%s%s", stamp, i, stampEnd, kept)
		if _, err := root.Lstat(path.Join(taking, to)); err == nil {
			continue
		}
		return to, root.Rename(name, path.Join(taking, to))
	}
	return "", fs.ErrExist
}

// A claimed file is named by the time of the claim, a number, stampEnd and the name it came with.
const (
	stampForm = "20060102T150405.000000"
	stampEnd  = "_"
)

// claimedAt is when a file was claimed: that is when it was received, however often it is offered. // P5-2
func (f *Folder) claimedAt(claimed string) time.Time {
	at, err := time.Parse(stampForm, claimed[:min(len(claimed), len(stampForm))])
	if err != nil { // somebody put it into taking by hand
		return f.opt.Now()
	}
	return at
}

type dropped struct {
	name string
	look
}

// files lists the regular telegram files of a folder, oldest first.
func files(root *os.Root, dir string) ([]dropped, error) {
	entries, err := fs.ReadDir(root.FS(), dir)
	if err != nil {
		return nil, err
	}
	var out []dropped
	for _, e := range entries {
		if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		switch strings.ToLower(path.Ext(e.Name())) {
		case ".xml", ".json", ".txt":
		default:
			continue
		}
		info, err := e.Info()
		if err != nil { // gone meanwhile
			continue
		}
		out = append(out, dropped{e.Name(), look{info.Size(), info.ModTime()}})
	}
	slices.SortFunc(out, func(a, b dropped) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.name, b.name)) })
	return out, nil
}

// finished reports that a file looks whole, or that nothing more has come for so long that it is taken as it is.
func (f *Folder) finished(root *os.Root, file dropped) bool {
	age := f.opt.Now().Sub(file.at)
	if age > unfinished || age < -unfinished {
		return true
	}
	raw, err := f.read(root, file.name)
	if err != nil || int64(len(raw)) > f.opt.MaxBytes {
		return true // take will say what is wrong
	}
	text := bytes.TrimSpace(feeds.TrimBOM(raw))
	switch {
	case len(text) == 0:
		return false
	case text[0] == '<':
		return text[len(text)-1] == '>' && bytes.Contains(text, []byte("</"))
	case text[0] == '{':
		return json.Valid(text)
	}
	return age > textRest
}

// read brings at most one byte more than is allowed.
func (f *Folder) read(root *os.Root, name string) ([]byte, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, f.opt.MaxBytes+1))
}

// take hands one claimed file over and moves it on.
func (f *Folder) take(ctx context.Context, root *os.Root, claimed string, out func(context.Context, desk.Envelope) error) error {
	raw, err := f.read(root, path.Join(taking, claimed))
	if err != nil {
		return ignoreGone(err)
	}
	switch {
	case int64(len(raw)) > f.opt.MaxBytes:
		return f.refuse(root, claimed, fmt.Sprintf("ファイルが大きすぎます（上限は%dバイト）。", f.opt.MaxBytes))
	case len(bytes.TrimSpace(raw)) == 0:
		return f.refuse(root, claimed, "ファイルが空です。")
	}
	_, name, _ := strings.Cut(claimed, stampEnd)
	label, telegram := unpack(raw)
	env := desk.Envelope{Feed: FolderName, Name: cmp.Or(label, showable(name)), Raw: telegram, ReceivedAt: f.claimedAt(claimed)}
	if err := f.hand(ctx, out, env); err != nil {
		return err
	}
	return ignoreGone(move(root, claimed, taken))
}

// hand offers one envelope until it is stored, or ctx ends.
func (f *Folder) hand(ctx context.Context, out func(context.Context, desk.Envelope) error, env desk.Envelope) error {
	for gap := f.opt.Retry; ctx.Err() == nil; gap = min(2*gap, 5*time.Second) {
		err := out(ctx, env)
		if err == nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.health.LastReceived = env.ReceivedAt
			f.count++
			return nil
		}
		f.opt.Log.Warn("telegram is not stored yet", "source", FolderName, "file", env.Name, "kind", desk.KindOf(err))
		pause(ctx, gap)
	}
	return ctx.Err()
}

func (f *Folder) refuse(root *os.Root, claimed, reason string) error {
	f.opt.Log.Warn("file is refused", "source", FolderName, "file", showable(claimed), "reason", reason)
	f.mu.Lock()
	f.refusedCount, f.refusedAt = f.refusedCount+1, f.opt.Now()
	f.mu.Unlock()
	if err := root.WriteFile(path.Join(refused, claimed+".reason"), []byte(reason+"\n"), 0o640); err != nil {
		return err
	}
	return ignoreGone(move(root, claimed, refused))
}

func move(root *os.Root, claimed, dir string) error {
	return root.Rename(path.Join(taking, claimed), path.Join(dir, claimed))
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
