package notify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tocsin/internal/counterpart"
)

// TestHearLetters: a letter in a real mailbox is handed over whole.
func TestHearLetters(t *testing.T) {
	box := counterpart.IMAP(t)
	b, err := NewMailbox(MailboxOptions{Host: "127.0.0.1", Port: box.Secure, CAFile: box.CAFile, Username: "tocsin", Password: counterpart.Password, Letters: true})
	if err != nil {
		t.Fatal(err)
	}
	tmp := filepath.Join(box.Maildir, "tmp", "1.a.b")
	if err := errors.Join(os.WriteFile(tmp, []byte(letterHead+"\r\nThe till asks twice."), 0o666), os.Chmod(tmp, 0o666), os.Rename(tmp, filepath.Join(box.Maildir, "new", "1.a.b"))); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	var got Letter
	err = b.HearLetters(ctx, func(raw []byte) error {
		l, err := ReadLetter(raw, ourMail)
		if got = l; err != nil {
			t.Error(err)
		}
		return nil
	}, func() {
		if got.From != "" {
			stop()
		}
	})
	if err != nil || got.Text != "The till asks twice." || got.From != "mara@research.example" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := NewMailbox(MailboxOptions{Host: "localhost", Username: "a", Password: "b"}); err == nil {
		t.Error("a mailbox for reports of non-delivery needs a secret")
	}
}
