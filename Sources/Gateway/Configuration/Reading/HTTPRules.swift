import QueryAPI

/// Who is let in over HTTP, and by which certificate the server is known.
extension ConfigurationReader {
    mutating func checkHTTP() {
        for http in sections where http.section.name == "http" {
            readTokens(http)
            readCertificate(http)
            checkReach(http)
            checkOrigins(http)
        }
    }

    private mutating func readTokens(_ http: SectionValues) {
        guard let path = http.given("token_file") else { return }
        do throws(TokenFile.Failure) {
            httpFiles.tokens = try TokenFile(path: path).read().tokens
        } catch {
            note("token_file: \(error)", at: http.place(of: "token_file"))
        }
    }

    private mutating func readCertificate(_ http: SectionValues) {
        let given = ["tls_cert_file", "tls_key_file"].filter { !http.text($0).isEmpty }
        if given.count == 1 { note("\(given[0]): tls_cert_file and tls_key_file come together", at: http.place(of: given[0])) }
        guard let certificate = http.given("tls_cert_file"), let key = http.given("tls_key_file") else { return }
        do throws(TLSIdentity.Unusable) {
            httpFiles.tls = try TLSIdentity(certificateFile: certificate, keyFile: key)
        } catch {
            note("tls_cert_file: \(error.reason)", at: http.place(of: "tls_cert_file"))
        }
    }

    /// That strangers may read and write is never the result of a line that was forgotten.
    private mutating func checkReach(_ http: SectionValues) {
        let (hasTokens, isAnonymous) = (http.given("token_file") != nil, http.boolean("allow_anonymous"))
        if hasTokens, isAnonymous {
            note("allow_anonymous: with a token_file nobody is let in without a token", at: http.place(of: "allow_anonymous"))
        }
        guard let address = ListenAddress(http.text("listen")), !address.isLoopback, !hasTokens, !isAnonymous else { return }
        note(
            "listen: \(address.host) is reachable from elsewhere; set token_file, or allow_anonymous = true if everyone there may read "
                + "and write",
            at: http.place(of: "listen"))
    }

    private mutating func checkOrigins(_ http: SectionValues) {
        for origin in http.list("cors_origins") where !Self.isOrigin(origin) {
            note(
                "cors_origins: \(origin.debugDescription) is no origin: write it as a browser sends it, "
                    + "like \"https://grafana.example.net\"",
                at: http.place(of: "cors_origins"))
        }
    }

    /// `http://` or `https://`, a name or an address in lower case, perhaps a port; no path, no star.
    private static func isOrigin(_ text: String) -> Bool {
        guard let scheme = ["http://", "https://"].first(where: { text.hasPrefix($0) }) else { return false }
        let authority = text.utf8.dropFirst(scheme.utf8.count)
        return !authority.isEmpty
            && authority.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x61...0x7A, 0x2D, 0x2E, 0x3A, 0x5B, 0x5D, 0x5F: true
                default: false
                }
            }
    }
}
