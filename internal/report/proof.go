package report

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Work instead of a riddle: the browser looks for a number that makes SHA-256(challenge ":" number) begin with so many zero bits. It
// costs a person a second that they do not wait for, and a flooder each report as much. A graphics card does it a thousand times
// faster: it slows the many who have none, and the door (Limits) holds against the others.
const (
	LeastBits = 14 // about 16,000 tries
	MostBits  = 20 // about a million
	// ChallengeLasts is long, because people write long: the page asks for a new one by itself when it is over.
	ChallengeLasts = 30 * time.Minute
)

// ChallengeChance is how many bytes of chance a challenge takes.
const ChallengeChance = 16

// Challenge makes a challenge of difficulty bits: base64url of version 1, bits, expiry (seconds since 1970, 8 bytes), chance,
// HMAC-SHA256 of what is before it. Nothing of it is kept until it is answered.
func Challenge(key []byte, difficulty int, now time.Time, chance [ChallengeChance]byte) string {
	b := []byte{1, byte(min(max(difficulty, LeastBits), MostBits))}
	b = binary.BigEndian.AppendUint64(b, uint64(now.Add(ChallengeLasts).Unix()))
	b = append(b, chance[:]...)
	return base64.RawURLEncoding.EncodeToString(append(b, signed(key, b)...))
}

func signed(key, b []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("tocsin report challenge\x00"))
	m.Write(b)
	return m.Sum(nil)
}

// What is wrong with an answer to a challenge.
var (
	ErrChallenge = errors.New("this is no challenge of ours")
	ErrExpired   = errors.New("the challenge is over; ask for a new one")
	ErrWork      = errors.New("the work was not done")
	ErrSpent     = errors.New("this work was used before")
)

// A Solved is work that was done: keep it until it expires, so that it counts once.
type Solved struct {
	ID      [ChallengeChance]byte
	Expires time.Time
}

// CheckWork holds an answer against its challenge. The number is decimal, below 2^63.
func CheckWork(key []byte, challenge, number string, now time.Time) (Solved, error) {
	if len(challenge) > 200 || len(number) > 20 {
		return Solved{}, ErrChallenge
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(challenge)
	const long = 2 + 8 + ChallengeChance
	if err != nil || len(b) != long+sha256.Size || b[0] != 1 || !hmac.Equal(b[long:], signed(key, b[:long])) {
		return Solved{}, ErrChallenge
	}
	expires := time.Unix(int64(binary.BigEndian.Uint64(b[2:])), 0)
	if !now.Before(expires) || expires.Sub(now) > ChallengeLasts+time.Minute {
		return Solved{}, ErrExpired
	}
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil || number != strconv.FormatUint(n, 10) {
		return Solved{}, ErrWork
	}
	if zeros(challenge, number) < int(b[1]) {
		return Solved{}, ErrWork
	}
	return Solved{[ChallengeChance]byte(b[10:long]), expires}, nil
}

func zeros(challenge, number string) int {
	sum := sha256.Sum256([]byte(challenge + ":" + number))
	n := 0
	for i := 0; i < len(sum); i += 8 {
		z := bits.LeadingZeros64(binary.BigEndian.Uint64(sum[i:]))
		n += z
		if z < 64 {
			break
		}
	}
	return n
}

// Work does what the page's script does, for programs and tests.
func Work(challenge string, difficulty int) string {
	for n := uint64(0); ; n++ {
		if s := strconv.FormatUint(n, 10); zeros(challenge, s) >= difficulty {
			return s
		}
	}
}

// Difficulty is how many bits are asked for when so many reports came in the last hour: two more for each tenfold beyond what
// is usual, so that 10,000 in an hour cost the most that a telephone bears.
func Difficulty(lastHour int) int {
	n := LeastBits
	for left := lastHour / 10; left > 0 && n < MostBits; left /= 10 {
		n += 2
	}
	return n
}

// Spent is the work that was used. Its size is bounded: what has expired is dropped, and beyond most it says that it is full.
type Spent struct {
	used map[[ChallengeChance]byte]time.Time
}

// mostSpent is how much work may be used in one ChallengeLasts. It is above what the door lets in.
const mostSpent = 50000

// Use marks work as used.
//
// Errors: ErrSpent; another when it cannot remember more.
func (s *Spent) Use(w Solved, now time.Time) error {
	if s.used == nil {
		s.used = map[[ChallengeChance]byte]time.Time{}
	}
	if _, was := s.used[w.ID]; was {
		return ErrSpent
	}
	if len(s.used) >= mostSpent {
		for id, until := range s.used {
			if !now.Before(until) {
				delete(s.used, id)
			}
		}
		if len(s.used) >= mostSpent {
			return fmt.Errorf("more than %d reports in %s; come back later", mostSpent, strings.TrimSuffix(ChallengeLasts.String(), "0s"))
		}
	}
	s.used[w.ID] = w.Expires
	return nil
}
