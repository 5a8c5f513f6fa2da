// Package chat keeps one Slack channel per incident, as an app over Socket Mode: we dial out, nothing listens for Slack.
//
//	state of an incident -> Card -> Show -> channel, topic, pinned card (updated in place) -> Place -> the caller's ledger
//	button or /tocsin -> envelope -> Who (is it one of the team?) -> Press or Command of the caller -> reply, seen by that person alone -> envelope acknowledged
//	message of the channel -> envelope -> Heard of the caller -> envelope acknowledged
//
// Show brings Slack to the state of the card, from wherever it is: it makes the channel or finds the one that a crash left,
// finds or posts the card, pins it, sets the topic. So it can be repeated at will, and returns how far it came as a Place even
// when it fails. It posts one message per incident; all else is an update.
//
// Slack is another's house. The provider reads everything; a person who is not known on the team gets a refusal; what a press
// means is decided by the caller, who has the rights. Text from incidents is escaped before it goes out, so that no title
// can mention a channel or hide a link; text that comes in is bounded and made plain. Addresses that come in with an envelope
// (response_url) are never called. Tokens stand in no error.
//
// The calls use slack-go's client. The socket is our own: that client drops the old connection when Slack warns that it
// is about to close it, and dials in a tight loop when each new one is closed at once.
package chat

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"
)

// The limits of this package. Those of Slack are at https://docs.slack.dev/apis/web-api/rate-limits and
// https://docs.slack.dev/apis/events-api/using-socket-mode.
const (
	callTimeout  = 20 * time.Second        // for one call of Slack's API
	showTimeout  = 2 * time.Minute         // for the whole of Show
	replyWithin  = 2 * time.Second         // an envelope is acknowledged after this at the latest; Slack gives 3
	actTimeout   = 30 * time.Second        // for what a press, command or message sets off
	postEvery    = 1100 * time.Millisecond // between two messages to one channel: Slack allows one a second
	waitAtMost   = 15 * time.Second        // a Retry-After up to this is waited out; a longer one is the caller's
	maxAfter     = time.Hour               // Slack may not hold us back for longer
	maxTries     = 4                       // of one call
	maxAnswer    = 4 << 20                 // bytes of an answer of the API
	maxEnvelope  = 256 << 10               // bytes of an envelope
	maxText      = 4000                    // bytes of a message or command that comes in
	maxReason    = 300                     // bytes of what Slack says in a Failure
	atOnce       = 16                      // envelopes that are worked on at the same time
	seenKept     = 4096                    // keys of envelopes that were done
	listPages    = 50                      // of channels, when one is looked for: 200 each
	maxNames     = 9                       // names that are tried for a channel
	silence      = 60 * time.Second        // without a ping or word of Slack's the connection is dead
	slackAPI     = "https://slack.com/api/"
	standardName = "inc"
)

// Options say which app this is and who decides. All funcs may be called by several goroutines at once.
type Options struct {
	BotToken string // begins with xoxb-; a secret
	AppToken string // begins with xapp-, with the scope connections:write; a secret
	API      string // "" is Slack's; https:// only, but on this machine
	Prefix   string // of channel names, so that two installations in one workspace keep apart: "" is inc, as in inc-42
	Private  bool   // channels that are made are private; those who are not invited do not see them

	Who     func(user string) (staff string, known bool)                 // who a Slack user id is on the team; nil knows nobody
	Room    func(channel string) (incident int, known bool)              // whose channel an id is; nil knows none
	Press   func(ctx context.Context, p Press) (reply string, err error) // decides on a press. The reply is shown to that person alone, a refusal too; err means that it could not be decided, and is not shown
	Command func(ctx context.Context, c Command) (reply string, err error)
	Heard   func(ctx context.Context, h Heard) error // takes a message of an incident's channel; after an error Slack delivers it again. nil takes none
	State   func(up bool, why string)                // is told when the socket comes up and goes down; nil is not
	Trouble func(err error)                          // is told what went wrong behind a press, command or message; nil is not
}

// A Slack is the app in one workspace. It may be used by many goroutines.
type Slack struct {
	o     Options
	api   *slack.Client
	http  *http.Client
	pace  *pace
	seen  *seen
	every time.Duration // postEvery, less in tests
	quiet time.Duration // silence, less in tests
	first time.Duration // wait before the second dial

	mu    sync.Mutex
	me    string               // our bot's user id, once known
	team  string               // our workspace's id, known with it
	org   string               // that of the organisation (Enterprise Grid) that the workspace is of; "" is none
	rooms map[int]*sync.Mutex  // one Show at a time for each incident
	shown map[string][2]string // by channel: the topic and the card that stand there
}

// A Place is where an incident stands in Slack. It is kept by the caller, and given back with the next Show.
type Place struct {
	Channel string `json:"channel,omitempty"` // Slack's id of the channel
	Name    string `json:"name,omitempty"`    // its name as it was made, without #
	Card    string `json:"card,omitempty"`    // Slack's timestamp of the card, which is its id within the channel
	Pinned  bool   `json:"pinned,omitempty"`
}

// A Failure says why something was not done. It has the shape of the one in package notify.
type Failure struct {
	Temporary bool          // trying again later can help
	Uncertain bool          // it broke off when Slack may already have done it; Show finds out by itself
	After     time.Duration // do not try before; 0 when Slack did not say. At most one hour
	Reason    string        // for people: one line, bounded, without secrets
	code      string        // Slack's word, such as name_taken
}

func (f *Failure) Error() string { return f.Reason }

// permanent returns a Failure that trying again does not mend.
func permanent(format string, args ...any) *Failure {
	return &Failure{Reason: fmt.Sprintf(format, args...)}
}

var (
	prefixForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,19}$`)
	tokenForm  = regexp.MustCompile(`xox[a-z]-[0-9A-Za-z-]+|xapp-[0-9A-Za-z-]+`)
)

// New checks the options. It does not connect; see Check and Run. Its errors do not show the tokens.
func New(o Options) (*Slack, error) {
	switch {
	case !strings.HasPrefix(o.BotToken, "xoxb-"):
		return nil, errors.New("slack: the bot token must begin with xoxb-: it is in the app's settings under OAuth & Permissions, once the app is installed")
	case !strings.HasPrefix(o.AppToken, "xapp-"):
		return nil, errors.New("slack: the app token must begin with xapp-: make one in the app's settings under Basic Information, App-Level Tokens, with the scope connections:write")
	case o.Press == nil || o.Command == nil:
		return nil, errors.New("slack: nobody decides on presses and commands")
	}
	if o.API == "" {
		o.API = slackAPI
	}
	if u, err := url.Parse(o.API); err != nil || u.Host == "" || !strings.HasSuffix(u.Path, "/") || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, errors.New("slack: the API's address must begin with https:// and end with a slash")
	}
	if o.Prefix == "" {
		o.Prefix = standardName
	}
	if !prefixForm.MatchString(o.Prefix) {
		return nil, fmt.Errorf("slack: the prefix of channel names is %q, but must be 1 to 20 of a-z, 0-9, - and _", short(o.Prefix, 40))
	}
	if o.Who == nil {
		o.Who = func(string) (string, bool) { return "", false }
	}
	if o.Room == nil {
		o.Room = func(string) (int, bool) { return 0, false }
	}
	if o.State == nil {
		o.State = func(bool, string) {}
	}
	if o.Trouble == nil {
		o.Trouble = func(error) {}
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: callTimeout / 2}).DialContext
	t.TLSClientConfig = tlsConfig()
	t.MaxIdleConnsPerHost = 4
	t.IdleConnTimeout = 30 * time.Second
	s := &Slack{o: o, pace: newPace(), seen: newSeen(seenKept), every: postEvery, quiet: silence, first: time.Second, rooms: map[int]*sync.Mutex{}, shown: map[string][2]string{}}
	s.http = &http.Client{
		Transport:     bounded{t},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.api = slack.New(o.BotToken, slack.OptionAppLevelToken(o.AppToken), slack.OptionAPIURL(o.API), slack.OptionHTTPClient(s.http))
	return s, nil
}

// loopback reports whether host is this machine.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// Check proves both tokens without showing anything to anybody. Every error is a *Failure.
func (s *Slack) Check(ctx context.Context) error {
	if _, f := s.self(ctx); f != nil {
		return f
	}
	if _, f := s.socketAddress(ctx); f != nil {
		return f
	}
	return nil
}

// Close closes the idle connections. Run ends with its context.
func (s *Slack) Close() { s.http.CloseIdleConnections() }

// self returns our bot's user id.
func (s *Slack) self(ctx context.Context) (string, *Failure) {
	s.mu.Lock()
	me, team, org := s.me, s.team, s.org
	s.mu.Unlock()
	if me != "" {
		return me, nil
	}
	f := s.call(ctx, "auth.test", "", func(ctx context.Context) error {
		r, err := s.api.AuthTestContext(ctx)
		if err == nil && r.UserID == "" {
			return errLied
		}
		if err == nil {
			me, team, org = r.UserID, r.TeamID, r.EnterpriseID
		}
		return err
	})
	if f != nil {
		return "", f
	}
	s.mu.Lock()
	s.me, s.team, s.org = me, team, org
	s.mu.Unlock()
	return me, nil
}

// who says who a user of a workspace is on the team. Ids of users are unique within a workspace only: in a channel that is shared with another company
// (Slack Connect), a user of theirs may have the id of one of ours. "" is of a payload that names no workspace; those of one organisation share their users.
func (s *Slack) who(ctx context.Context, user, team string) (staff string, known bool, _ error) {
	if team != "" {
		if _, f := s.self(ctx); f != nil {
			return "", false, f
		}
		s.mu.Lock()
		others := s.org == "" && s.team != "" && team != s.team
		s.mu.Unlock()
		if others {
			return "", false, nil
		}
	}
	staff, known = s.o.Who(user)
	return staff, known, nil
}
