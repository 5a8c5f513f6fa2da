package envelope

import (
	"fmt"
	"time"

	"github.com/ProtonMail/gopenpgp/v3/crypto"
)

// ClearSign signs a text so that it stays readable within its signature (RFC 9580 section 7), as security.txt is (RFC 9116 section 2.3).
func (i *Identity) ClearSign(text string, now time.Time) (string, error) {
	mine, err := i.handle()
	if err != nil {
		return "", err
	}
	h, err := crypto.PGP().Sign().SigningKey(mine).SignTime(now.Unix()).New()
	if err != nil {
		return "", fmt.Errorf("signing a text: %w", err)
	}
	out, err := h.SignCleartext([]byte(text))
	if err != nil {
		return "", fmt.Errorf("signing a text: %w", err)
	}
	return string(out), nil
}
