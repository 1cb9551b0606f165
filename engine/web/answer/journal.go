package answer

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"yagura/store/desk"
)

// The journal is where answers wait while the database is away (law 14): numbered segment files of framed records in a
// directory of its own. One goroutine appends and syncs in groups; an answer is acknowledged after the sync. A sealed segment
// is read, stored and only then removed, so that a crash at any moment costs a repetition, which the nonce makes harmless.
const (
	recordMark    = "YJ1\n"                 // also what reading looks for after damage
	recordHead    = len(recordMark) + 4 + 4 // mark, length, CRC-32C of length and body (RFC 3720 §12.1)
	recordMost    = 16 << 10
	segmentMost   = 8 << 20
	segmentSuffix = ".journal"
	damagedSuffix = ".damaged"
	lockName      = "lock"
)

// castagnoli is the CRC-32C table; crc32.MakeTable returns the package's own, so nothing is built twice.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// segmentFile is the part of os.File the journal writes through; a test puts a full disk behind it.
type segmentFile interface {
	Write([]byte) (int, error)
	Sync() error
	Truncate(int64) error
	Close() error
}

type journal struct {
	dir    string
	log    *slog.Logger
	create func(path string) (segmentFile, error)

	mu     sync.Mutex
	active segmentFile // nil until the next append
	number int         // of the newest segment
	size   int64       // of the active segment, whole records only
	held   *os.File    // the lock; two engines on one directory would remove each other's segments
}

// openJournal takes the directory for this process. What an earlier process left waits in sealed segments.
func openJournal(dir string, log *slog.Logger) (*journal, error) {
	const op = "answer.openJournal"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &desk.Error{Kind: desk.Unavailable, Op: op, Msg: "回答の一時保管場所を作れません。", Err: err}
	}
	held, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, &desk.Error{Kind: desk.Unavailable, Op: op, Msg: "回答の一時保管場所に書けません。", Err: err}
	}
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(&desk.Error{Kind: desk.Unavailable, Op: op, Msg: "回答の一時保管場所をほかのプログラムが使っています。", Err: err}, held.Close())
	}
	j := &journal{dir: dir, log: log, create: createSegment, held: held}
	segments, err := j.segments()
	if err != nil {
		return nil, errors.Join(desk.Wrap(desk.Unavailable, op, err), held.Close())
	}
	if len(segments) > 0 {
		j.number = segments[len(segments)-1]
		log.Warn("前回の終了時に未登録の回答があります。これから登録します", "files", len(segments))
	}
	return j, nil
}

func createSegment(path string) (segmentFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err // not f: a nil *os.File in the interface would look open
	}
	return f, nil
}

func (j *journal) path(number int) string {
	return filepath.Join(j.dir, fmt.Sprintf("%08d%s", number, segmentSuffix))
}

// segments lists the numbers of the segments on disk, oldest first, the active one included.
func (j *journal) segments() ([]int, error) {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, e := range entries {
		var n int
		if name, ok := strings.CutSuffix(e.Name(), segmentSuffix); ok {
			if _, err := fmt.Sscanf(name, "%d", &n); err == nil {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// append writes the answers and syncs; nil means that they survive a crash of this machine's software and power. After a
// failure the file is cut back to the last whole record, or given up for a fresh one.
func (j *journal) append(_ context.Context, batch []desk.Response) error {
	const op = "answer.journal"
	var frames []byte
	for i := range batch {
		frame, err := encode(&batch[i])
		if err != nil {
			return desk.Wrap(desk.Internal, op, err)
		}
		frames = append(frames, frame...)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.begin(); err != nil {
		return &desk.Error{Kind: desk.Unavailable, Op: op, Msg: "回答を一時保管できません。", Err: err}
	}
	_, err := j.active.Write(frames)
	if err == nil {
		err = j.active.Sync()
	}
	if err != nil {
		// After a failed sync nobody knows what the disk holds; the segment is never written again.
		_ = j.active.Truncate(j.size)
		_ = j.active.Close()
		if j.size == 0 {
			_ = os.Remove(j.path(j.number)) // a full disk must not fill up with empty files as well
		}
		j.active = nil
		return &desk.Error{Kind: desk.Unavailable, Op: op, Msg: "回答を一時保管できません。", Err: err}
	}
	j.size += int64(len(frames))
	if j.size >= segmentMost {
		j.seal()
	}
	return nil
}

// begin opens a fresh segment when none is open. The directory is synced, or the file itself could be lost.
func (j *journal) begin() error {
	if j.active != nil {
		return nil
	}
	j.number++
	f, err := j.create(j.path(j.number))
	if err != nil {
		return err
	}
	if err := syncDir(j.dir); err != nil {
		return errors.Join(err, f.Close(), os.Remove(j.path(j.number)))
	}
	j.active, j.size = f, 0
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// seal closes the active segment. The answers in it are synced already, so a failing close loses nothing.
func (j *journal) seal() {
	if j.active != nil {
		_ = j.active.Close()
		j.active = nil
	}
}

// sealed seals the active segment and lists all segments, oldest first.
func (j *journal) sealed() ([]int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seal()
	return j.segments()
}

// waiting reports whether any segment exists.
func (j *journal) waiting() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	numbers, err := j.segments()
	return err != nil || len(numbers) > 0
}

// read gives the answers of a sealed segment. Damaged bytes are skipped up to the next record and kept aside in a file of their
// own: an engineer may still read a name number from them.
func (j *journal) read(number int) ([]desk.Response, error) {
	data, err := os.ReadFile(j.path(number))
	if err != nil {
		return nil, err
	}
	answers, damaged := decode(data)
	if len(damaged) > 0 {
		aside := strings.TrimSuffix(j.path(number), segmentSuffix) + damagedSuffix
		if err := os.WriteFile(aside, damaged, 0o600); err != nil {
			return nil, err // the segment stays until the bytes are safe
		}
		j.log.Error("一時保管した回答の一部が壊れています。壊れた部分を別のファイルに残しました",
			"file", filepath.Base(aside), "bytes", len(damaged), "readable", len(answers))
	}
	return answers, nil
}

// remove ends a segment whose answers are stored.
func (j *journal) remove(number int) error {
	err := os.Remove(j.path(number))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seal()
	return j.held.Close()
}

// record is an answer on disk; its names are a file format and stay.
type record struct {
	Nonce      []byte    `json:"nonce"`
	Dispatch   int64     `json:"dispatch"`
	Person     int64     `json:"person"`
	Received   time.Time `json:"received"`
	Safety     string    `json:"safety"`
	Attendance string    `json:"attendance"`
	Comment    string    `json:"comment,omitempty"`
	Channel    string    `json:"channel"`
}

func encode(r *desk.Response) ([]byte, error) {
	body, err := json.Marshal(record{
		Nonce: r.Nonce[:], Dispatch: int64(r.DispatchID), Person: int64(r.PersonID), Received: r.ReceivedAt.UTC(),
		Safety: string(r.Safety), Attendance: string(r.Attendance), Comment: r.Comment, Channel: r.Channel,
	})
	if err != nil {
		return nil, err
	}
	if len(body) > recordMost {
		return nil, fmt.Errorf("record of %d bytes", len(body))
	}
	frame := make([]byte, recordHead, recordHead+len(body))
	copy(frame, recordMark)
	binary.BigEndian.PutUint32(frame[len(recordMark):], uint32(len(body)))
	frame = append(frame, body...)
	binary.BigEndian.PutUint32(frame[len(recordMark)+4:], checksum(frame[len(recordMark):len(recordMark)+4], body))
	return frame, nil
}

func checksum(length, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(length, castagnoli()), castagnoli(), body)
}

// decode reads every whole record of data and returns the bytes that belong to none.
func decode(data []byte) (answers []desk.Response, damaged []byte) {
	for len(data) > 0 {
		r, n, ok := decodeOne(data)
		if ok {
			answers = append(answers, r)
			data = data[n:]
			continue
		}
		// Look for the next mark, beyond this one.
		next := bytes.Index(data[1:], []byte(recordMark)) + 1
		if next == 0 {
			next = len(data)
		}
		damaged = append(damaged, data[:next]...)
		data = data[next:]
	}
	return answers, damaged
}

func decodeOne(data []byte) (r desk.Response, n int, ok bool) {
	if len(data) < recordHead || string(data[:len(recordMark)]) != recordMark {
		return r, 0, false
	}
	length := data[len(recordMark) : len(recordMark)+4]
	size := int(binary.BigEndian.Uint32(length))
	if size > recordMost || len(data) < recordHead+size {
		return r, 0, false
	}
	body := data[recordHead : recordHead+size]
	if binary.BigEndian.Uint32(data[len(recordMark)+4:]) != checksum(length, body) {
		return r, 0, false
	}
	var rec record
	if err := json.Unmarshal(body, &rec); err != nil || len(rec.Nonce) != len(r.Nonce) {
		return r, 0, false
	}
	r = desk.Response{
		DispatchID: desk.DispatchID(rec.Dispatch), PersonID: desk.PersonID(rec.Person), ReceivedAt: rec.Received,
		Safety: desk.Safety(rec.Safety), Attendance: desk.Attendance(rec.Attendance), Comment: rec.Comment, Channel: rec.Channel,
	}
	copy(r.Nonce[:], rec.Nonce)
	return r, recordHead + size, true
}
