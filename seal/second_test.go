package seal_test

import (
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	oldsm2 "github.com/tjfoc/gmsm/sm2"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// ours is what the service made, split into what each key signed.
type signed struct {
	name           string
	key            *gm.PublicKey
	message, value []byte
}

func ours(t *testing.T) []signed {
	t.Helper()
	o := newOffice(t, nil)
	d, err := o.service.Prepare(t.Context(), o.req)
	if err != nil {
		t.Fatal(err)
	}
	out, err := o.service.Apply(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	s, err := seal.ParseSignature(out.Value)
	if err != nil {
		t.Fatal(err)
	}
	var list []signed
	for _, part := range []struct {
		name                 string
		cert, message, value []byte
	}{
		{"signature", s.Cert, s.RawTBS, s.Value},
		{"seal", s.Seal.MakerCert, s.Seal.RawInfo, s.Seal.Signature},
	} {
		c, err := pki.Read(part.cert)
		if err != nil {
			t.Fatal(err)
		}
		key, ok := c.SM2Key()
		if !ok {
			t.Fatal("not an SM2 key")
		}
		list = append(list, signed{part.name, key, part.message, part.value})
	}
	return list
}

// A second implementation of SM2 and SM3 agrees.
func TestSecondImplementation(t *testing.T) {
	t.Parallel()
	for _, s := range ours(t) {
		key := &oldsm2.PublicKey{Curve: oldsm2.P256Sm2(), X: new(big.Int).Set(s.key.X), Y: new(big.Int).Set(s.key.Y)}
		if !key.Verify(s.message, s.value) {
			t.Errorf("%s: tjfoc/gmsm does not verify it", s.name)
		}
		if key.Verify(flip(s.message), s.value) {
			t.Errorf("%s: tjfoc/gmsm verifies another message", s.name)
		}
	}
}

// OpenSSL, a third one, agrees, with the SM2 identity of the standards.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("there is no openssl on this machine: apt-get install openssl")
	}
	for _, s := range ours(t) {
		dir := t.TempDir()
		spki, err := gm.MarshalPKIXPublicKey(s.key)
		if err != nil {
			t.Fatal(err)
		}
		write := func(name string, data []byte) string {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		key := write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
		value := write("value", s.value)
		verify := func(message string) ([]byte, error) {
			return exec.CommandContext(t.Context(), tool, "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-digest", "sm3",
				"-in", message, "-sigfile", value, "-pkeyopt", "distid:"+gm.DefaultUserID).CombinedOutput()
		}
		if out, err := verify(write("message", s.message)); err != nil {
			t.Errorf("%s: %v: %s", s.name, err, out)
		}
		if out, err := verify(write("other", flip(s.message))); err == nil {
			t.Errorf("%s: OpenSSL verifies another message: %s", s.name, out)
		}
	}
}
