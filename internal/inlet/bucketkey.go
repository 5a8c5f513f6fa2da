package inlet

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// A keyFile is an access key in the form of AWS's credentials file. Only the key is read of it: what else such files may hold, commands to
// run among it, is passed over. It implements minio's credentials.Provider.
type keyFile struct {
	name    string
	changed time.Time
}

// Retrieve reads the file. Of several profiles the first counts.
func (k *keyFile) Retrieve() (v credentials.Value, err error) {
	if k.name == "" {
		return v, errors.New("no file with an access key is named: make one with the lines aws_access_key_id = KEY and aws_secret_access_key = SECRET")
	}
	st, err := os.Stat(k.name)
	if err != nil {
		return v, fmt.Errorf("the file with the access key: %w", err)
	}
	if st.Size() > 64<<10 {
		return v, fmt.Errorf("%s is too large for a file with an access key", k.name)
	}
	text, err := os.ReadFile(k.name)
	if err != nil {
		return v, fmt.Errorf("the file with the access key: %w", err)
	}
	for l := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(l, "=")
		for of, to := range map[string]*string{"aws_access_key_id": &v.AccessKeyID, "aws_secret_access_key": &v.SecretAccessKey, "aws_session_token": &v.SessionToken} {
			if strings.TrimSpace(name) == of && *to == "" {
				*to = strings.TrimSpace(value)
			}
		}
	}
	if v.AccessKeyID == "" || v.SecretAccessKey == "" {
		return v, fmt.Errorf("%s holds no access key: write the lines aws_access_key_id = KEY and aws_secret_access_key = SECRET", k.name)
	}
	v.SignerType = credentials.SignatureV4
	k.changed = st.ModTime()
	return v, nil
}

// RetrieveWithCredContext is Retrieve.
func (k *keyFile) RetrieveWithCredContext(*credentials.CredContext) (credentials.Value, error) {
	return k.Retrieve()
}

// IsExpired reports whether the file has another key now.
func (k *keyFile) IsExpired() bool {
	st, err := os.Stat(k.name)
	return err == nil && !st.ModTime().Equal(k.changed)
}

// reason says as what a failure to read an object counts.
func (b *Bucket) reason(err error) Reason {
	switch minio.ToErrorResponse(err).Code {
	case "NoSuchKey", "PreconditionFailed":
		return Gone
	}
	return Unreadable
}

// words say what a server's refusal means and what mends it.
func (b *Bucket) words(err error) string {
	a := minio.ToErrorResponse(err)
	if a.Code == "XAdminUserNotFound" { // Versity's name for it
		a.Code = "InvalidAccessKeyId"
	}
	mend := map[string]string{
		"NoSuchBucket":                 fmt.Sprintf("There is no bucket %q at this endpoint: look at its name, the region and path style.", b.o.Bucket),
		"AccessDenied":                 fmt.Sprintf("The access key may not do this: give its user the rights s3:ListBucket on the bucket %s and s3:GetObject on its objects, and kms:Decrypt where they are encrypted by KMS.", b.o.Bucket),
		"InvalidAccessKeyId":           fmt.Sprintf("The server does not know the access key of %s: it was taken back, or is another server's.", b.o.KeyFile),
		"SignatureDoesNotMatch":        fmt.Sprintf("The secret of %s is not that of its access key: copy it again, whole.", b.o.KeyFile),
		"ExpiredToken":                 fmt.Sprintf("The session token of %s has expired: use a key of a user that stays.", b.o.KeyFile),
		"AuthorizationHeaderMalformed": fmt.Sprintf("The region %s is not that of the bucket: set the one that the server names.", b.o.Region),
		"PermanentRedirect":            fmt.Sprintf("The bucket is at another endpoint than that of the region %s: set its own region.", b.o.Region),
		"RequestTimeTooSkewed":         "The clock of this machine is wrong by more than the server allows: set it, with NTP.",
		"InvalidObjectState":           "The object is in an archive class (Glacier) and cannot be read: restore it, or leave such objects out.",
		"NoSuchKey":                    "The object was removed before it could be read.",
		"PreconditionFailed":           "The object was replaced while it was to be read; the new one is read at the next listing.",
		"SlowDown":                     "The server asks for fewer requests; the next listing tries again.",
	}[a.Code]
	if _, ok := errors.AsType[net.Error](err); ok && mend == "" {
		mend = "The server cannot be reached: look at the endpoint, the name service and the firewall."
	}
	if mend == "" {
		mend = "It is tried again at the next listing."
	}
	return fmt.Sprintf("The bucket cannot be read: %v. %s", err, mend)
}
