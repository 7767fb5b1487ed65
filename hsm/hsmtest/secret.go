package hsmtest

import (
	"bytes"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

func seal(t T, s hsm.Secret, plain, aad []byte) []byte {
	t.Helper()
	sealed, err := s.Seal(t.Context(), plain, aad)
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	return sealed
}

func checkSeal(t T, p hsm.Provider) {
	s := generateSecret(t, p, "conformance/data")
	again, err := p.Secret(t.Context(), "conformance/data")
	if err != nil {
		t.Fatalf("Secret: %v", err)
	}
	for _, plain := range [][]byte{nil, {0}, []byte("420100199001011234"), bytes.Repeat([]byte{7}, 4096)} {
		for _, aad := range [][]byte{nil, []byte("holder/name/17")} {
			sealed := seal(t, s, plain, aad)
			if len(plain) > 4 && bytes.Contains(sealed, plain) {
				t.Errorf("the sealed bytes show the plain text")
			}
			got, err := again.Open(t.Context(), sealed, aad)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("Open of %d bytes: %d bytes, %v", len(plain), len(got), err)
			}
			if bytes.Equal(seal(t, s, plain, aad), sealed) {
				t.Errorf("sealing the same twice gives the same bytes, so equal fields show")
			}
		}
	}
	for _, cut := range [][]byte{nil, {1}, make([]byte, 16)} {
		if _, err := s.Open(t.Context(), cut, nil); err == nil || fault.KindOf(err) != fault.Invalid {
			t.Errorf("Open of %d foreign bytes: %v, want an Invalid fault", len(cut), err)
		}
	}
	sealed := seal(t, s, []byte("text"), []byte("place"))
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 0x10
		if _, err := s.Open(t.Context(), bad, []byte("place")); err == nil || fault.KindOf(err) != fault.Invalid {
			t.Errorf("Open with byte %d altered: %v, want an Invalid fault", i, err)
		}
		if _, err := s.Open(t.Context(), sealed[:i], []byte("place")); err == nil || fault.KindOf(err) != fault.Invalid {
			t.Errorf("Open of the first %d bytes: %v, want an Invalid fault", i, err)
		}
	}
}

func checkAAD(t T, p hsm.Provider) {
	s := generateSecret(t, p, "conformance/aad")
	sealed := seal(t, s, []byte("text"), []byte("holder/name/17"))
	for _, aad := range []string{"", "holder/name/18", "holder/name/1", "holder/name/177"} {
		_, err := s.Open(t.Context(), sealed, []byte(aad))
		wantFault(t, "Open at another place", err, fault.Invalid, hsm.CodeSealedDamaged)
	}
}

func checkOther(t T, p hsm.Provider) {
	a, b := generateSecret(t, p, "conformance/a"), generateSecret(t, p, "conformance/b")
	_, err := b.Open(t.Context(), seal(t, a, []byte("text"), nil), nil)
	wantFault(t, "Open under another secret", err, fault.Invalid, hsm.CodeSealedOther)
	sealed := seal(t, a, []byte("text"), nil)
	sealed[len(sealed)-1] ^= 1
	_, err = a.Open(t.Context(), sealed, nil)
	wantFault(t, "Open of damaged bytes", err, fault.Invalid, hsm.CodeSealedDamaged)
}

func checkMAC(t T, p hsm.Provider) {
	a, b := generateSecret(t, p, "conformance/a"), generateSecret(t, p, "conformance/b")
	mac := func(s hsm.Secret, text string) [32]byte {
		t.Helper()
		m, err := s.MAC(t.Context(), []byte(text))
		if err != nil {
			t.Fatalf("MAC: %v", err)
		}
		return m
	}
	again, err := p.Secret(t.Context(), "conformance/a")
	if err != nil {
		t.Fatalf("Secret: %v", err)
	}
	if mac(a, "x") != mac(again, "x") {
		t.Errorf("the MAC of the same bytes differs, so a blind index finds nothing")
	}
	if mac(a, "x") == mac(a, "y") || mac(a, "") == mac(a, "x") {
		t.Errorf("the MAC does not depend on its bytes")
	}
	if mac(a, "x") == mac(b, "x") {
		t.Errorf("two secrets give one MAC")
	}
}

func checkSizes(t T, p hsm.Provider) {
	s := generateSecret(t, p, "conformance/size")
	most := make([]byte, hsm.MaxPlain)
	sealed := seal(t, s, most, make([]byte, hsm.MaxAAD))
	if got, err := s.Open(t.Context(), sealed, make([]byte, hsm.MaxAAD)); err != nil || !bytes.Equal(got, most) {
		t.Errorf("Open of the greatest size: %d bytes, %v", len(got), err)
	}
	over := make([]byte, hsm.MaxPlain+1)
	_, err := s.Seal(t.Context(), over, nil)
	wantFault(t, "Seal over the limit", err, fault.TooLarge, hsm.CodeTooLarge)
	_, err = s.Seal(t.Context(), nil, make([]byte, hsm.MaxAAD+1))
	wantFault(t, "Seal with aad over the limit", err, fault.TooLarge, hsm.CodeTooLarge)
	_, err = s.MAC(t.Context(), over)
	wantFault(t, "MAC over the limit", err, fault.TooLarge, hsm.CodeTooLarge)
	_, err = s.Open(t.Context(), make([]byte, hsm.MaxPlain+4096), nil)
	wantFault(t, "Open over the limit", err, fault.TooLarge, hsm.CodeTooLarge)
}
