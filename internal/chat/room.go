package chat

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/slack-go/slack"
)

// Show brings the incident's channel to the state of c. at is what an earlier Show returned, or zero. The returned Place is how
// far it came, also with an error: keep it. What already stands there is not sent again. Every error is a *Failure.
func (s *Slack) Show(ctx context.Context, at Place, c Card) (Place, error) {
	if err := c.check(); err != nil {
		return at, permanent("%v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, showTimeout)
	defer cancel()
	defer s.enter(c.Number)()
	at, f := s.show(ctx, at, c)
	if f != nil && f.code == "channel_not_found" && at.Channel != "" { // somebody deleted it
		s.forget(at.Channel)
		at, f = s.show(ctx, Place{}, c)
	}
	if f != nil {
		return at, f
	}
	return at, nil
}

// enter waits for this incident's turn.
func (s *Slack) enter(number int) (leave func()) {
	s.mu.Lock()
	m := s.rooms[number]
	if m == nil {
		m = &sync.Mutex{}
		s.rooms[number] = m
	}
	s.mu.Unlock()
	m.Lock()
	return m.Unlock
}

// forget drops what we believe to stand in a channel.
func (s *Slack) forget(channel string) {
	s.mu.Lock()
	delete(s.shown, channel)
	s.mu.Unlock()
}

func (s *Slack) show(ctx context.Context, at Place, c Card) (Place, *Failure) {
	found := at.Channel != "" // it may hold a card that we do not know of
	if at.Channel == "" {
		p, existed, f := s.open(ctx, c)
		if f != nil {
			return at, f
		}
		at, found = p, existed
	}
	if at.Card == "" && found {
		ts, f := s.findCard(ctx, at.Channel, c)
		if f != nil {
			return at, f
		}
		at.Card = ts
	}
	at, f := s.card(ctx, at, c)
	if f != nil {
		return at, f
	}
	if !at.Pinned {
		f := s.call(ctx, "pins.add", "", func(ctx context.Context) error {
			return s.api.AddPinContext(ctx, at.Channel, slack.NewRefToMessage(at.Channel, at.Card))
		})
		if f != nil && f.code != "already_pinned" {
			return at, f
		}
		at.Pinned = true
	}
	return at, s.topic(ctx, at, c)
}

// name returns the n-th name that the channel of an incident can have; the first is the usual one.
func (s *Slack) name(number, n int) string {
	if n == 1 {
		return fmt.Sprintf("%s-%d", s.o.Prefix, number)
	}
	return fmt.Sprintf("%s-%d-%d", s.o.Prefix, number, n)
}

// purpose is what says whose a channel is. It is set when the channel is made.
func purpose(c Card) string {
	return fmt.Sprintf("Incident %d of Tocsin, reference %s.", c.Number, c.Key)
}

// open makes the channel, or finds the one that was made before. A name that is another's is left alone, and the next one tried.
func (s *Slack) open(ctx context.Context, c Card) (at Place, existed bool, _ *Failure) {
	me, f := s.self(ctx)
	if f != nil {
		return at, false, f
	}
	var ours []slack.Channel // listed at most once: it costs many calls in a large workspace
	listed := false
	for n := 1; n <= maxNames; n++ {
		name := s.name(c.Number, n)
		var made *slack.Channel
		f := s.call(ctx, "conversations.create", "", func(ctx context.Context) (err error) {
			made, err = s.api.CreateConversationContext(ctx, slack.CreateConversationParams{ChannelName: name, IsPrivate: s.o.Private})
			if err == nil && (made == nil || made.ID == "") {
				return errLied
			}
			return err
		})
		if f == nil {
			at = Place{Channel: made.ID, Name: name}
			return at, false, s.claim(ctx, at, c)
		}
		if f.code != "name_taken" {
			return at, false, f
		}
		if !listed {
			if ours, f = s.list(ctx, me, c.Number); f != nil {
				return at, false, f
			}
			listed = true
		}
		i := slices.IndexFunc(ours, func(ch slack.Channel) bool { return ch.Name == name && !ch.IsArchived })
		if i < 0 {
			continue // of somebody else, hidden from us, or archived
		}
		at = Place{Channel: ours[i].ID, Name: name}
		switch was := unescape(ours[i].Purpose.Value); was {
		case purpose(c):
			return at, true, nil
		case "": // a crash fell between making it and saying whose it is
			return at, true, s.claim(ctx, at, c)
		}
	}
	return Place{}, false, permanent("slack: the incident %d has no channel: %s and the %d names after it are taken by others: choose another prefix for channel names", c.Number, s.name(c.Number, 1), maxNames-1)
}

// claim writes down whose the channel is.
func (s *Slack) claim(ctx context.Context, at Place, c Card) *Failure {
	return s.call(ctx, "conversations.setPurpose", "", func(ctx context.Context) error {
		_, err := s.api.SetPurposeOfConversationContext(ctx, at.Channel, purpose(c))
		return err
	})
}

func unescape(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// list returns our bot's channels that an incident may have.
func (s *Slack) list(ctx context.Context, me string, number int) (ours []slack.Channel, _ *Failure) {
	kind := "public_channel"
	if s.o.Private {
		kind = "private_channel"
	}
	cursor := ""
	for range listPages {
		var page []slack.Channel
		f := s.call(ctx, "conversations.list", "", func(ctx context.Context) (err error) {
			var next string
			page, next, err = s.api.GetConversationsContext(ctx, &slack.GetConversationsParameters{Cursor: cursor, Limit: 200, Types: []string{kind}})
			if err == nil {
				cursor = next
			}
			return err
		})
		if f != nil {
			return nil, f
		}
		for _, ch := range page {
			if ch.Creator == me && strings.HasPrefix(ch.Name, s.name(number, 1)) && ch.ID != "" {
				ours = append(ours, ch)
			}
		}
		if cursor == "" {
			break
		}
	}
	return ours, nil
}

// cardMark is the type of the metadata by which a card is found again.
const cardMark = "tocsin_card"

// findCard looks for the card that an earlier Show posted without coming to say so: "" when there is none. The card is among the first messages of
// the channel; the last thousand are looked through, too.
func (s *Slack) findCard(ctx context.Context, channel string, c Card) (ts string, _ *Failure) {
	me, f := s.self(ctx)
	if f != nil {
		return "", f
	}
	cursor := ""
	for range 5 {
		var r *slack.GetConversationHistoryResponse
		f := s.call(ctx, "conversations.history", "", func(ctx context.Context) (err error) {
			r, err = s.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{ChannelID: channel, Cursor: cursor, Limit: 200, IncludeAllMetadata: true})
			return err
		})
		if f != nil {
			return "", f
		}
		for _, m := range r.Messages {
			if m.User == me && m.Metadata.EventType == cardMark && m.Metadata.EventPayload["key"] == c.Key && m.Timestamp != "" {
				ts = m.Timestamp // the oldest counts
			}
		}
		if cursor = r.ResponseMetaData.NextCursor; cursor == "" {
			break
		}
	}
	return ts, nil
}

// card posts the card, or updates it when it shows something else.
func (s *Slack) card(ctx context.Context, at Place, c Card) (Place, *Failure) {
	print := c.print()
	if at.Card != "" && s.stands(at.Channel, 1, print) {
		return at, nil
	}
	options := []slack.MsgOption{
		slack.MsgOptionText(escape(c.head()), false), slack.MsgOptionBlocks(c.blocks()...), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: cardMark, EventPayload: map[string]any{"key": c.Key, "incident": c.Number}}),
	}
	if at.Card != "" {
		f := s.call(ctx, "chat.update", at.Channel, func(ctx context.Context) error {
			_, _, _, err := s.api.UpdateMessageContext(ctx, at.Channel, at.Card, options...)
			return err
		})
		if f == nil {
			s.note(at.Channel, 1, print)
			return at, nil
		}
		if f.code != "message_not_found" && f.code != "cant_update_message" {
			return at, f
		}
		at.Card, at.Pinned = "", false // somebody deleted it
	}
	f := s.call(ctx, "chat.postMessage", at.Channel, func(ctx context.Context) error {
		_, ts, err := s.api.PostMessageContext(ctx, at.Channel, options...)
		if err == nil && ts == "" {
			return errLied
		}
		if err == nil {
			at.Card = ts
		}
		return err
	})
	if f == nil {
		s.note(at.Channel, 1, print)
	}
	return at, f
}

// topic sets the channel's topic when it says something else.
func (s *Slack) topic(ctx context.Context, at Place, c Card) *Failure {
	topic := c.topic()
	if s.stands(at.Channel, 0, topic) {
		return nil
	}
	f := s.call(ctx, "conversations.setTopic", "", func(ctx context.Context) error {
		_, err := s.api.SetTopicOfConversationContext(ctx, at.Channel, topic)
		return err
	})
	if f == nil {
		s.note(at.Channel, 0, topic)
	}
	return f
}

// stands reports whether we put this text there last.
func (s *Slack) stands(channel string, which int, text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown[channel][which] == text
}

// note keeps what stands there. It is only to save calls, so when there are many channels it begins anew.
func (s *Slack) note(channel string, which int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.shown[channel]; !known && len(s.shown) >= 1000 {
		clear(s.shown)
	}
	x := s.shown[channel]
	x[which] = text
	s.shown[channel] = x
}

// Invite brings people into the channel, by Slack user id; those who are in it already stay. Every error is a *Failure.
func (s *Slack) Invite(ctx context.Context, at Place, users ...string) error {
	for chunk := range slices.Chunk(users, 100) {
		f := s.call(ctx, "conversations.invite", "", func(ctx context.Context) error {
			_, err := s.api.InviteUsersToConversationContext(ctx, at.Channel, chunk...)
			return err
		})
		if f != nil && f.code == "already_in_channel" && len(chunk) > 1 { // one of them is: ask one by one
			for _, u := range chunk {
				if err := s.Invite(ctx, at, u); err != nil {
					return err
				}
			}
			continue
		}
		if f != nil && f.code != "already_in_channel" && f.code != "cant_invite_self" {
			return f
		}
	}
	return nil
}

// Archive closes the channel to new messages; what was said stays readable. One that is archived already is left so. Every error is a *Failure.
func (s *Slack) Archive(ctx context.Context, at Place) error {
	f := s.call(ctx, "conversations.archive", "", func(ctx context.Context) error { return s.api.ArchiveConversationContext(ctx, at.Channel) })
	if f != nil && f.code != "already_archived" {
		return f
	}
	s.forget(at.Channel)
	return nil
}

// tell shows text to one person alone, in a channel where the app is, else in a direct message.
func (s *Slack) tell(ctx context.Context, channel, user, text string) *Failure {
	options := []slack.MsgOption{slack.MsgOptionText(words(text, 2900), false), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl()}
	if channel != "" {
		f := s.call(ctx, "chat.postEphemeral", "", func(ctx context.Context) error {
			_, err := s.api.PostEphemeralContext(ctx, channel, user, options...)
			return err
		})
		if f == nil || f.code != "channel_not_found" && f.code != "not_in_channel" && f.code != "user_not_in_channel" && f.code != "is_archived" {
			return f
		}
	}
	return s.call(ctx, "chat.postMessage", user, func(ctx context.Context) error {
		_, _, err := s.api.PostMessageContext(ctx, user, options...)
		return err
	})
}
