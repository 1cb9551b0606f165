package store_test

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// TestAHugeTelegramIsKeptWholeAndReadInPart: kept verbatim (law 1), but several of 100 MB must not fill the memory of the reader.
func TestAHugeTelegramIsKeptWholeAndReadInPart(t *testing.T) {
	s := storetest.New(t).Store(storetest.Engine)
	huge := bytes.Repeat([]byte("<a>"), 4<<20) // 12 MiB
	id, fresh, err := s.StoreTelegram(t.Context(), desk.Envelope{Feed: "x", Raw: huge, ReceivedAt: storetest.Noto}, sha256.Sum256(huge))
	if err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	unread, err := s.Unread(t.Context(), 10)
	if err != nil || len(unread) != 1 || len(unread[0].Raw) != 9<<20 {
		t.Fatalf("%d unread, %v", len(unread), err)
	}
	if whole, err := s.TelegramRaw(t.Context(), id); err != nil || !bytes.Equal(whole, huge) {
		t.Errorf("%d bytes were kept, %v; want %d", len(whole), err, len(huge))
	}
}
