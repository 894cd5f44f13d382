import Testing
import TocsinAlerts
import TocsinCore
import TocsinTestKit

@Suite struct NetworkTests {
    @Test(arguments: [
        ("8.8.8.8", "public"), ("127.0.0.1", "loopback"), ("127.255.0.9", "loopback"), ("10.1.2.3", "private"),
        ("172.16.0.1", "private"), ("172.31.255.255", "private"), ("172.32.0.1", "public"), ("192.168.1.1", "private"),
        ("100.64.0.1", "carrier-grade NAT"), ("100.128.0.1", "public"), ("169.254.1.1", "link-local"),
        ("169.254.169.254", "cloud metadata"), ("100.100.100.200", "cloud metadata"), ("0.0.0.0", "unspecified"),
        ("224.0.0.1", "multicast"), ("255.255.255.255", "reserved"), ("198.18.0.1", "reserved"),
        ("192.0.2.1", "reserved"),
        ("::1", "loopback"), ("::", "unspecified"), ("fe80::1", "link-local"), ("fc00::1", "unique-local"),
        ("fd12:3456::1", "unique-local"), ("fd00:ec2::254", "cloud metadata"), ("fec0::1", "private"),
        ("ff02::1", "multicast"),
        ("2001:4860:4860::8888", "public"), ("2001:db8::1", "reserved"), ("2001::1", "reserved"),
        ("64:ff9b:1::1", "reserved"),
        // IPv4 in IPv6's clothes.
        ("::ffff:127.0.0.1", "loopback"), ("::ffff:10.0.0.1", "private"), ("::ffff:169.254.169.254", "cloud metadata"),
        ("::ffff:8.8.8.8", "public"), ("::127.0.0.1", "loopback"), ("64:ff9b::a00:1", "private"),
        ("2002:7f00:1::", "loopback"),
        ("2002:a9fe:a9fe::", "cloud metadata"),
    ])
    func addressesAreKnownForWhatTheyAre(_ text: String, _ reach: String) throws {
        #expect(try #require(IPAddress(text)).reach.rawValue == reach)
    }

    @Test(arguments: [
        "127.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1", "127.0.0.1.", "::1%lo", "[::1]", "",
    ])
    func oldFormsAreNoAddressesByThemselves(_ text: String) { #expect(IPAddress(text) == nil) }

    /// The machine's resolver turns them into addresses, and those are judged.
    @Test(arguments: ["127.1", "0x7f000001", "2130706433", "017700000001", "localhost", "localhost.", "LOCALHOST"])
    func theyAreRefusedByWhereTheyLead(_ host: String) async throws {
        let receiver = try await FakeReceiver()
        for (allowed, count) in [(false, 0), (true, 1)] {
            let clock = HandClock()
            let targets = try TargetGuard(allowsPrivate: allowed)
            let http = AlertHTTP(targets: targets, clock: clock)
            let url = try WebAddress("http://\(host):\(receiver.port)/")
            let channel = WebhookChannel(
                name: "w", url: url, sender: ChannelHTTP(http: http, timeout: Receivers.patience))
            let result = await AlertTest.run(channel, clock: clock)
            #expect(result.isDelivered == allowed, "\(result.text)")
            #expect(receiver.requests.isEmpty == (count == 0))
            await http.close()
        }
    }

    @Test func aNameThatLeadsElsewhereTheSecondTimeLeadsNowhere() async throws {
        // Rebinding: the name service first says a public address, then a private one; only what was checked is used.
        let receiver = try await FakeReceiver()
        let resolver = HostResolver { _ in [IPAddress("10.0.0.1"), IPAddress("169.254.169.254")].compactMap { $0 } }
        let http = AlertHTTP(targets: try TargetGuard(), resolver: resolver)
        let channel = WebhookChannel(
            name: "w", url: try WebAddress("http://hooks.example:\(receiver.port)/"),
            sender: ChannelHTTP(http: http, timeout: Receivers.patience))
        let result = await AlertTest.run(channel, clock: HandClock())
        #expect(!result.isDelivered && receiver.requests.isEmpty)
        await http.close()
    }

    @Test func ofSeveralAddressesOnlyPermittedOnesAreUsed() async throws {
        let receiver = try await FakeReceiver()
        let resolver = HostResolver { _ in [IPAddress("169.254.169.254"), IPAddress("127.0.0.1")].compactMap { $0 } }
        let http = AlertHTTP(targets: try TargetGuard(allowsPrivate: true), resolver: resolver)
        let channel = WebhookChannel(
            name: "w", url: try WebAddress("http://hooks.example:\(receiver.port)/"),
            sender: ChannelHTTP(http: http, timeout: Receivers.patience))
        #expect(await AlertTest.run(channel, clock: HandClock()).isDelivered)
        await http.close()
    }

    @Test func whereOneAddressOfANameDoesNotListenTheNextIsTried() async throws {
        let receiver = try await FakeReceiver()
        let resolver = HostResolver { _ in
            [IPAddress("::1"), IPAddress("127.0.0.9"), IPAddress("127.0.0.1")].compactMap { $0 }
        }
        let http = AlertHTTP(targets: try TargetGuard(allowsPrivate: true), resolver: resolver)
        let channel = WebhookChannel(
            name: "w", url: try WebAddress("http://hooks.example:\(receiver.port)/"),
            sender: ChannelHTTP(http: http, timeout: Receivers.patience))
        for count in 1...3 {
            #expect(await AlertTest.run(channel, clock: HandClock()).isDelivered)
            // The test and its end.
            #expect(receiver.requests.count == 2 * count)
        }
        await http.close()
    }

    /// Some servers say which path they do not know, and the path of a webhook is its credential.
    @Test func noAnswerAndNoErrorTellsASecret() async throws {
        let receiver = try await FakeReceiver(answer: (404, "Cannot POST /services/T0/SECRETPATH"))
        let http = AlertHTTP(targets: try TargetGuard(allowsPrivate: true))
        let url = try WebAddress("http://127.0.0.1:\(receiver.port)/services/T0/SECRETPATH")
        let result = await AlertTest.run(
            WebhookChannel(name: "w", url: url, sender: ChannelHTTP(http: http, timeout: Receivers.patience)),
            clock: HandClock())
        #expect(!result.isDelivered && !result.text.contains("SECRETPATH"), "\(result.text)")
        await http.close()
    }

    @Test(arguments: [AlertChannelKind.opsgenie, .pagerduty, .webhook])
    func aTokenWithALineBreakIsRefusedAndNotShown(_ kind: AlertChannelKind) throws {
        var settings = Receivers.settings(kind)
        settings.url = "https://hooks.example/"
        if kind == .webhook { settings.secret = "hidden\n" } else { settings.token = "hidden\n" }
        let error = #expect(throws: TocsinError.self) {
            try Receivers.factory(TargetGuard(allowsPrivate: true)).make(settings)
        }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("line break") && text.contains(settings.name) && !text.contains("hidden"), "\(text)")
    }

    @Test func aWrongAddressSaysWhoseItIs() throws {
        var settings = Receivers.settings(.webhook)
        settings.url = "htp://hooks.example/"
        let error = #expect(throws: TocsinError.self) {
            try Receivers.factory(TargetGuard(allowsPrivate: true)).make(settings)
        }
        #expect(error?.place == "alerts.channels \(settings.name) url")
    }

    @Test func whatIsAllowedIsAllowedAndMetadataOnlyByName() throws {
        let loopback = try #require(IPAddress("127.0.0.1"))
        let metadata = try #require(IPAddress("169.254.169.254"))
        let lan = try #require(IPAddress("10.20.3.4"))
        #expect(try TargetGuard(allowsPrivate: true).refusal(of: loopback, host: "x") == nil)
        #expect(try TargetGuard(allowsPrivate: true).refusal(of: metadata, host: "x") != nil)
        #expect(try TargetGuard(allowed: ["169.254.169.254"]).refusal(of: metadata, host: "x") == nil)
        #expect(try TargetGuard(allowed: ["10.20.0.0/16"]).refusal(of: lan, host: "x") == nil)
        #expect(try TargetGuard(allowed: ["10.21.0.0/16"]).refusal(of: lan, host: "x") != nil)
        #expect(try TargetGuard(allowed: ["*.Plant.local"]).refusal(of: lan, host: "mail.plant.local.") == nil)
        #expect(try TargetGuard(allowed: ["*.plant.local"]).refusal(of: lan, host: "plant.local") != nil)
        #expect(try TargetGuard(allowed: ["*.plant.local"]).refusal(of: lan, host: "evilplant.local") != nil)
        for text in ["10.0.0.0/33", "http://x/", "a b", "*"] {
            #expect(throws: TocsinError.self) { try TargetGuard(allowed: [text]) }
        }
    }

    @Test(arguments: [
        "ftp://x/", "http://", "http://a b/", "http://x\\@y/", "http://x\u{0}/", "http://[::1", "http://[x]/",
        "http://x:0/",
        "http://x:99999/", "http://\u{FF11}.example/", "http://a/b c", "http://x:y:80/", "http://%31/",
    ])
    func addressesThatCouldBeReadTwoWaysAreRefused(_ text: String) {
        #expect(throws: TocsinError.self) { try WebAddress(text) }
    }

    @Test func partsOfAnAddress() throws {
        let address = try WebAddress("HTTPS://user:p%40ss@Hooks.Example:8443/a/b?c=d#e")
        #expect(address.text == "https://hooks.example:8443/a/b?c=d" && address.origin == "https://hooks.example:8443")
        #expect(address.credentials == "user:p@ss")
        #expect(try WebAddress("http://[::1]:80").text == "http://[::1]:80/")
        #expect(try WebAddress("http://x?y").text == "http://x/?y")
    }
}
