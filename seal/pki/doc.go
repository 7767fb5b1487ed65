// Package pki answers one question for the packages that judge: who does this certificate belong to, and does the trust
// list know the authority behind it? It reads certificates (数字证书, GB/T 20518) as the field writes them, builds chains
// pairwise to anchors, keeps the signed trust list (信任列表) with its memory against rollback, and is a small certificate
// authority for closed deployments. Start with OpenList or TrustFromPEM, then Trust.Chain.
package pki
