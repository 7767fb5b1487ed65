package yinxin_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/hsm/soft"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

type keyVectors struct {
	Passphrase string      `json:"passphrase"`
	Passes     uint32      `json:"argon2id_passes"`
	MemoryKiB  uint32      `json:"argon2id_memory_kib"`
	Lanes      uint8       `json:"argon2id_lanes"`
	File       octets      `json:"file"`
	Entries    []keyVector `json:"entries"`
	Sealed     struct {
		Secret string `json:"secret"`
		AAD    octets `json:"aad"`
		Plain  octets `json:"plain"`
		Sealed octets `json:"sealed"`
		MACof  octets `json:"mac_of"`
		MAC    octets `json:"mac"`
	} `json:"sealed"`
}

type keyVector struct {
	Ref       string `json:"ref"`
	Algorithm string `json:"algorithm"`
	Purpose   string `json:"purpose"`
	Material  octets `json:"material"`
}

func vectorKeys() []hsm.KeyRequest {
	return []hsm.KeyRequest{
		{Ref: "code/static", Policy: hsm.Policy{Algorithm: hsm.SM2, Purpose: "static-code"}},
		{Ref: "data/blind", Policy: hsm.Policy{Algorithm: hsm.SM4, Purpose: "data"}},
		{Ref: "data/cell05", Policy: hsm.Policy{Algorithm: hsm.SM4, Purpose: "data"}},
		{Ref: "token/es256", Policy: hsm.Policy{Algorithm: hsm.ES256, Purpose: "token"}},
	}
}

// keyFileVectors are of a key file with one cheap passphrase. Keys are random: the file is made once and kept.
func keyFileVectors(t *testing.T) keyVectors {
	t.Helper()
	fresh := keyVectors{Passphrase: "correct horse battery", Passes: 1, MemoryKiB: 64, Lanes: 1}
	path := filepath.Join(t.TempDir(), "keys.sealed")
	p, err := soft.Create(path, []byte(fresh.Passphrase), soft.Options{Cost: soft.Cost{Passes: 1, MemoryKiB: 64, Lanes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.GenerateKeys(t.Context(), vectorKeys()); err != nil {
		t.Fatal(err)
	}
	if fresh.File, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	fresh.Entries = openKeyFile(t, fresh)
	s, err := p.Secret(t.Context(), "data/cell05")
	if err != nil {
		t.Fatal(err)
	}
	x := &fresh.Sealed
	x.Secret, x.AAD, x.Plain, x.MACof = "data/cell05", []byte("table.column\x00row"), []byte("张示例"), []byte("holder\x00111\x0011010519491231002X")
	if x.Sealed, err = s.Seal(t.Context(), x.Plain, x.AAD); err != nil {
		t.Fatal(err)
	}
	mac, err := s.MAC(t.Context(), x.MACof)
	if err != nil {
		t.Fatal(err)
	}
	x.MAC = mac[:]
	return vector(t, "keys.json", fresh, func(v *keyVectors) {
		v.File, v.Sealed.Sealed, v.Sealed.MAC = nil, nil, nil
		for i := range v.Entries {
			v.Entries[i].Material = nil
		}
	})
}

// openKeyFile reads a key file as docs/formats.md says, without package soft.
func openKeyFile(t *testing.T, v keyVectors) []keyVector {
	t.Helper()
	b := []byte(v.File)
	same(t, "magic and version", b[:10], []byte("\x89YXKEY\r\n\x00\x01"))
	same(t, "passes", binary.BigEndian.Uint32(b[10:]), v.Passes)
	same(t, "memory", binary.BigEndian.Uint32(b[14:]), v.MemoryKiB)
	same(t, "lanes", b[18], v.Lanes)
	size := int(binary.BigEndian.Uint32(b[35:]))
	if len(b) != 83+size+32 {
		t.Fatalf("a file of %d bytes says its body has %d", len(b), size)
	}
	digest := gm.SM3(b[:83+size])
	same(t, "digest", b[83+size:], digest[:])
	root := argon2.IDKey([]byte(v.Passphrase), b[19:35], v.Passes, v.MemoryKiB, v.Lanes, 32)
	checkKey, bodyKey := gm.MAC(root, []byte("yinxin/hsm/soft/file/1/check")), gm.MAC(root, []byte("yinxin/hsm/soft/file/1/body"))
	check, err := gm.OpenBytes(checkKey[:16], b[39:83], b[:39])
	if err != nil || !bytes.Equal(check, make([]byte, 16)) {
		t.Fatalf("the check does not open: %v", err)
	}
	body, err := gm.OpenBytes(bodyKey[:16], b[83:83+size], b[:83])
	if err != nil {
		t.Fatal(err)
	}
	count := binary.BigEndian.Uint32(body)
	body = body[4:]
	take := func(n int) []byte {
		out := body[:n]
		body = body[n:]
		return out
	}
	var out []keyVector
	for range count {
		var k keyVector
		for _, text := range []*string{&k.Ref, &k.Algorithm, &k.Purpose} {
			*text = string(take(int(take(1)[0])))
		}
		k.Material = bytes.Clone(take(int(binary.BigEndian.Uint16(take(2)))))
		out = append(out, k)
	}
	if len(body) != 0 {
		t.Fatal("bytes behind the last key")
	}
	return out
}

// material is the secret of a name in the vectors.
func (v keyVectors) material(t *testing.T, ref string) []byte {
	t.Helper()
	for _, k := range v.Entries {
		if k.Ref == ref {
			return k.Material
		}
	}
	t.Fatalf("no key %s", ref)
	return nil
}

// unseal opens a sealed field as docs/formats.md says.
func unseal(t *testing.T, material, sealed, aad []byte) []byte {
	t.Helper()
	key, mark := gm.MAC(material, []byte("yinxin/hsm/soft/secret/1/seal")), gm.MAC(material, []byte("yinxin/hsm/soft/secret/1/mark"))
	if len(sealed) < 5 || sealed[0] != 1 || !bytes.Equal(sealed[1:5], mark[:4]) {
		t.Fatal("the sealed bytes do not begin with version and mark")
	}
	plain, err := gm.OpenBytes(key[:16], sealed[5:], append(bytes.Clone(sealed[:5]), aad...))
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func mac(material []byte, data string) []byte {
	key := gm.MAC(material, []byte("yinxin/hsm/soft/secret/1/mac"))
	d := gm.MAC(key[:], []byte(data))
	return d[:]
}

// provider opens the key file of the vectors with package soft.
func (v keyVectors) provider(t *testing.T) *soft.Provider {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.sealed")
	if err := os.WriteFile(path, v.File, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := soft.Open(path, []byte(v.Passphrase))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// TestFormatsKeyFile: the soft key file, sealed fields and MACs, read by hand and by the code.
func TestFormatsKeyFile(t *testing.T) {
	v := keyFileVectors(t)
	same(t, "entries", openKeyFile(t, v), v.Entries)
	m := v.material(t, v.Sealed.Secret)
	same(t, "plain", unseal(t, m, v.Sealed.Sealed, v.Sealed.AAD), []byte(v.Sealed.Plain))
	same(t, "mac", mac(m, string(v.Sealed.MACof)), []byte(v.Sealed.MAC))
	s, err := v.provider(t).Secret(t.Context(), hsm.Ref(v.Sealed.Secret))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := s.Open(t.Context(), v.Sealed.Sealed, v.Sealed.AAD); err != nil || !bytes.Equal(plain, v.Sealed.Plain) {
		t.Errorf("the code opens %q: %v", plain, err)
	}
}

type trustVectors struct {
	Private octets          `json:"private_key"`
	List    string          `json:"list"` // the canonical text
	Digest  octets          `json:"digest"`
	File    json.RawMessage `json:"file"` // holds the random signature; compact it to read it
	State   string          `json:"state"`
}

// TestFormatsTrustList: the list, its envelope, and the state that a verifier keeps.
func TestFormatsTrustList(t *testing.T) {
	k, sign := scalar(t, 9)
	from := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	id := license.KeyID(&k.PublicKey)
	list := &pki.List{
		Version: 3, IssuedAt: from, NextUpdate: from.AddDate(0, 0, 90), Anchors: []pki.ListAnchor{}, Intermediates: [][]byte{},
		Ledger: pki.LedgerTrust{
			Origin: "yinxin.example/ledger/vectors", LogKeys: []pki.NamedKey{{Name: "yinxin.example/ledger/vectors", Key: gm.MarshalPublicKey(&k.PublicKey)}},
			Witnesses: []pki.NamedKey{{Name: "witness.example/vectors", Key: gm.MarshalPublicKey(&k.PublicKey)}}, Quorum: 1,
		},
		Issuers: []pki.Issuer{{
			KeyID: hex.EncodeToString(id[:]), Key: gm.MarshalPublicKey(&k.PublicKey), Organisation: "11990000000000001G", Name: "示范省",
			Purposes: []pki.Purpose{pki.PurposeStaticCode}, NotBefore: from, NotAfter: from.AddDate(20, 0, 0),
		}},
		Hosts: []string{"yx.example"}, Policies: pki.DefaultPolicies(),
	}
	body, err := list.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	file, err := pki.SignList(t.Context(), list, vectorSigner{k, sign})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := pki.OpenList(file)
	if err != nil {
		t.Fatal(err)
	}
	next, _ := pki.CheckRollback(pki.State{}, opened)
	state, err := pki.MarshalState(next)
	if err != nil {
		t.Fatal(err)
	}
	d := gm.SM3(body)
	v := vector(t, "trust.json", trustVectors{gm.MarshalPrivateKey(k), string(body), d[:], file, string(state)}, func(v *trustVectors) { v.File = nil })
	var compact bytes.Buffer
	if err := json.Compact(&compact, v.File); err != nil {
		t.Fatal(err)
	}
	var e struct {
		Format    string `json:"format"`
		List      []byte `json:"list"`
		Key       []byte `json:"key"`
		Signature []byte `json:"signature"`
	}
	if err := json.Unmarshal(v.File, &e); err != nil {
		t.Fatal(err)
	}
	same(t, "format", e.Format, "yinxin-trust/1")
	same(t, "list", string(e.List), v.List)
	verified(t, "trust list", e.Key, e.List, e.Signature)
	sum := gm.SM3([]byte(v.List))
	same(t, "digest", []byte(v.Digest), sum[:])
	same(t, "state", v.State, `{"version":3,"digest":"`+base64.StdEncoding.EncodeToString(sum[:])+`","key":"`+base64.StdEncoding.EncodeToString(e.Key)+"\"}\n")
	if again, err := pki.OpenList(compact.Bytes()); err != nil || again.Digest != sum {
		t.Errorf("the code refuses the stored list: %v", err)
	}
}

// TestFormatsDraft: a draft's number is its cell and 16 bytes in hex.
func TestFormatsDraft(t *testing.T) {
	id := seal.DraftID{0, 5, 1, 2, 3}
	same(t, "draft", id.String(), "0005"+"010203"+"00000000000000000000000000")
	if id.Cell() != 5 {
		t.Errorf("cell %d", id.Cell())
	}
}

// vectorSigner is a known key as packages outside license want it.
type vectorSigner struct {
	key  *gm.PrivateKey
	sign license.DigestSigner
}

func (v vectorSigner) Public() crypto.PublicKey { return &v.key.PublicKey }

func (v vectorSigner) SignDigest(ctx context.Context, e [32]byte) ([]byte, error) {
	return v.sign(ctx, e)
}
