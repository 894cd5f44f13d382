import Testing
import TocsinApp
import TocsinCore

@Suite struct ExplainSearchTests {
    private let search = ExplainSearch(store: PumpStory.store(events: false, windows: false), place: "tocsin.sqlite")

    private func id(_ subject: ExplainSearch.Subject) -> String {
        switch subject {
        case .anomaly(let anomaly): "anomaly \(anomaly.id)"
        case .alarm(let alarm): "alarm \(alarm.id)"
        }
    }

    @Test(arguments: [
        ("abcd000000000002", "anomaly abcd000000000002"), ("abff", "anomaly abff000000000003"),
        ("ABFF", "anomaly abff000000000003"), ("00000000", "alarm 00000000000000a1"),
        ("00000000000000a1", "alarm 00000000000000a1"),
    ])
    func idsAndTheirBeginningsAreFound(text: String, found: String) async throws {
        #expect(id(try await search.find(text)) == found)
    }

    @Test func theNewestComesFirst() async throws {
        #expect(id(try await search.last()) == "anomaly abcd000000000001")
        #expect(try await search.list(limit: 2).map(\.id) == ["abcd000000000001", "abff000000000003"])
    }

    @Test func aBeginningOfSeveralNamesThem() async throws {
        let error = await #expect(throws: TocsinError.self) { try await search.find("abcd") }
        #expect(error?.code == .usage)
        #expect(error?.message.contains("beginning of 2 ids") == true)
        #expect(error?.remedy?.contains("abcd000000000002") == true)
    }

    @Test func anUnknownIdNamesTheNearest() async throws {
        let error = await #expect(throws: TocsinError.self) { try await search.find("abfe") }
        #expect(error?.code == .usage)
        let remedy = try #require(error?.remedy)
        let nearest = try #require(remedy.split(separator: "\n").dropFirst().first)
        #expect(nearest.contains("abff000000000003"))
    }

    @Test(arguments: ["abc", "xyz12345", "", "abcd0000000000011"])
    func whatIsNoIdIsRefused(text: String) async throws {
        let error = await #expect(throws: TocsinError.self) { try await search.find(text) }
        #expect(error?.message.contains("is no id") == true)
    }

    @Test func anEmptyStoreSaysSo() async throws {
        let empty = ExplainSearch(store: ListStore(), place: "tocsin.sqlite")
        for attempt in 0..<3 {
            let error = await #expect(throws: TocsinError.self) {
                switch attempt {
                case 0: _ = try await empty.last()
                case 1: _ = try await empty.list(limit: 5)
                default: _ = try await empty.find("abcd")
                }
            }
            #expect(error?.message == "the store holds no findings")
            #expect(error?.place == "tocsin.sqlite")
        }
    }
}
