package verify_test

import (
	"fmt"
	"time"

	"github.com/yinxin-trust/yinxin/verify"
)

func ExampleJudge_Bytes() {
	at := time.Date(2026, 3, 12, 9, 0, 0, 0, time.UTC)
	// A verifier with a trust list: trust, remember, err := verify.OpenTrust(file, remembered, true, at).
	judge := verify.Judge{At: at}
	report, err := judge.Bytes([]byte("HTTPS://YX.EXAMPLE/S/AEAAC"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Verdict, report.AsOf.Format(time.RFC3339))
	for _, c := range report.Checks {
		fmt.Println(c.Name, c.Result, c.Code)
	}
	// Output:
	// not_valid 2026-03-12T09:00:00Z
	// code.form fail CODE_MALFORMED
}
