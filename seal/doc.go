// Package seal is the electronic seal (电子印章) and the electronic seal signature (电子签章): GB/T 38540-2020 (V4) is read and
// written to the byte, GM/T 0031-2014 (V1) and GM/T 0031-2025 (V5) are read and judged. Service.Prepare and Service.Apply
// seal a document; JudgeSignature and JudgeSeal say what a stranger's bytes are worth. No private key ever enters: keys
// sign digests behind DigestSigner.
package seal
