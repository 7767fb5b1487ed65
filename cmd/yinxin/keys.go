package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/hsm/soft"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/sample"
)

// The names of the service's keys. docs/architecture.md lists what each may do.
const (
	keyTrustList  hsm.Ref = "trust/list"
	keyLedger     hsm.Ref = "ledger/log"
	keyWitness    hsm.Ref = "witness/cosign"
	keyStatus     hsm.Ref = "status/list"
	keyStaticCode hsm.Ref = "code/static"
	keyTokenES256 hsm.Ref = "token/es256"
	keyTokenRS256 hsm.Ref = "token/rs256"
	keyRootCA     hsm.Ref = "ca/root"
	keyIssuingCA  hsm.Ref = "ca/issuing"
	keySealMaker  hsm.Ref = "seal/maker"

	secretProvince hsm.Ref = "data/province"   // fields of accounts
	secretBlind    hsm.Ref = "data/blind"      // blind indexes, one key for the whole province so that the directory can join
	secretPepper   hsm.Ref = "password/pepper" // over password hashes
	secretPairwise hsm.Ref = "token/pairwise"  // subject identifiers by sector
	secretToken    hsm.Ref = "token/opaque"    // authenticates codes and tokens
)

func secretCell(code uint16) hsm.Ref { return hsm.Ref(fmt.Sprintf("data/cell%02d", code)) }

func keySeal(office string) hsm.Ref { return hsm.Ref("seal/" + strings.ToLower(office) + "/1") }

// openKeys opens the sealed key file of a data folder, or makes it with every key that the sample province needs. The
// passphrase lies beside it: that is what makes a demonstration one command, and why it is none for real data.
func openKeys(ctx context.Context, dir string) (*soft.Provider, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "keys_dir", "the folder for keys cannot be made")
	}
	passphrase, err := passphraseFile(filepath.Join(dir, "passphrase"))
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "keys.sealed")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		p, err := soft.Create(file, passphrase, soft.Options{})
		if err != nil {
			return nil, err
		}
		return p, generate(ctx, p)
	}
	p, err := soft.Open(file, passphrase)
	if err != nil {
		return nil, err
	}
	return p, generate(ctx, p)
}

// generate makes the keys that are not there yet, in one write of the file.
func generate(ctx context.Context, p *soft.Provider) error {
	want := []hsm.KeyRequest{}
	add := func(ref hsm.Ref, a hsm.Algorithm, purpose string) {
		want = append(want, hsm.KeyRequest{Ref: ref, Policy: hsm.Policy{Algorithm: a, Purpose: purpose}})
	}
	for ref, purpose := range map[hsm.Ref]string{
		keyTrustList: "trust-list", keyLedger: "checkpoint", keyStatus: "status", keyStaticCode: "static-code",
		keyRootCA: "ca", keyIssuingCA: "ca", keySealMaker: "seal-making",
	} {
		add(ref, hsm.SM2, purpose)
	}
	add(keyTokenES256, hsm.ES256, "token")
	add(keyTokenRS256, hsm.RS256, "token")
	for _, ref := range []hsm.Ref{secretProvince, secretBlind, secretPepper, secretPairwise, secretToken} {
		add(ref, hsm.SM4, "data")
	}
	for code := uint16(1); code <= sample.ProvinceCell; code++ {
		add(secretCell(code), hsm.SM4, "data")
	}
	for _, o := range sample.Offices() {
		add(keySeal(o.Code), hsm.SM2, "seal")
	}
	return hsm.Ensure(ctx, p, want)
}

// passphraseFile reads a passphrase, or makes one of 256 bits for the first start. The file is complete or absent.
func passphraseFile(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err == nil {
		if text := strings.TrimSpace(string(b)); text != "" {
			return []byte(text), nil
		}
		return nil, fault.New(fault.Invalid, "passphrase_empty", "the file with the passphrase of the keys is empty").WithHint(path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(err, fault.Internal, "passphrase_unreadable", "the passphrase of the keys cannot be read")
	}
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "random", "the machine gives no random numbers")
	}
	text := hex.EncodeToString(random)
	if err := writeFile(path, []byte(text+"\n"), 0o600); err != nil {
		return nil, err
	}
	return []byte(text), nil
}

// writeFile puts a file in its place whole: written beside it, flushed, renamed, the folder flushed.
func writeFile(path string, data []byte, mode fs.FileMode) (err error) {
	wrap := func(err error) error {
		return fault.Wrap(err, fault.Internal, "write_file", "the file "+filepath.Base(path)+" cannot be written")
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return wrap(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreMissing(os.Remove(tmp.Name())))
		}
	}()
	if _, err := tmp.Write(data); err != nil {
		return wrap(errors.Join(err, tmp.Close()))
	}
	if err := errors.Join(tmp.Chmod(mode), tmp.Sync(), tmp.Close()); err != nil {
		return wrap(err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return wrap(err)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return wrap(err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return wrap(err)
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
