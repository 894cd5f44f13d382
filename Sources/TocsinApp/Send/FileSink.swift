internal import TocsinConnectors

/// A file that is made or emptied, or standard output.
struct FileSink: ReadingSink {
    let name: String
    let wants = SinkWants(messages: false, chunkMessages: 4096)
    private let file: FileWriter

    init(_ file: FileWriter, name: String) {
        self.file = file
        self.name = name
    }

    var trouble: String? { nil }

    func send(_ chunk: ReadingChunk) async throws -> any SendReceipt {
        guard try file.write(chunk.bytes) else { throw SinkEnd() }
        return SentReceipt()
    }

    func finish() async throws {}
    func close() async {}
}
