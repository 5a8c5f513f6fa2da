package cert

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// zapTo hands what the library logs to our log: its information as ours for those who look for mistakes, its warnings as they are.
func zapTo(log *slog.Logger) *zap.Logger { return zap.New(bridge{log: log}) }

// A bridge is a zapcore.Core that writes to a slog.Logger.
type bridge struct {
	log    *slog.Logger
	fields []zapcore.Field
}

func level(l zapcore.Level) slog.Level {
	switch {
	case l >= zapcore.ErrorLevel:
		return slog.LevelWarn // what it cannot do is tried again; what hurts is said by State.Judge
	case l == zapcore.WarnLevel:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

func (b bridge) Enabled(l zapcore.Level) bool { return b.log.Enabled(context.Background(), level(l)) }

func (b bridge) With(f []zapcore.Field) zapcore.Core {
	return bridge{b.log, append(b.fields[:len(b.fields):len(b.fields)], f...)}
}

func (b bridge) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if b.Enabled(e.Level) {
		return c.AddCore(e, b)
	}
	return c
}

func (b bridge) Write(e zapcore.Entry, f []zapcore.Field) error {
	enc := zapcore.NewMapObjectEncoder()
	for _, x := range append(b.fields[:len(b.fields):len(b.fields)], f...) {
		x.AddTo(enc)
	}
	args := []any{"said", plain(e.Message)}
	for _, key := range []string{"identifier", "error", "remaining", "retrying_in", "challenge_type"} { // the rest is for its makers, and may hold keys of accounts
		if v, ok := enc.Fields[key]; ok {
			args = append(args, key, v)
		}
	}
	b.log.Log(context.Background(), level(e.Level), "certificates", args...)
	return nil
}

func (b bridge) Sync() error { return nil }
