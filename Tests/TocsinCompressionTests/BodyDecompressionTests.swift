import CZlib
import CZstd
import Testing
import TocsinCompression

@Suite struct BodyDecompressionTests {
    private let text = Array("temperature of pump 7, ".utf8)
    private var plain: [UInt8] { (0..<5000).flatMap { text + Array("\($0)\n".utf8) } }

    private func packed(_ bytes: [UInt8], _ coding: ContentCoding) -> [UInt8] {
        switch coding {
        case .identity: return bytes
        case .gzip, .deflate:
            var stream = z_stream()
            deflateInit2_(
                &stream, 6, Z_DEFLATED, coding == .gzip ? 31 : 15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size))
            defer { deflateEnd(&stream) }
            var input = bytes
            var output = [UInt8](repeating: 0, count: bytes.count + 1000)
            let count = output.count
            input.withUnsafeMutableBufferPointer { source in
                output.withUnsafeMutableBufferPointer { target in
                    stream.next_in = source.baseAddress
                    stream.avail_in = UInt32(source.count)
                    stream.next_out = target.baseAddress
                    stream.avail_out = UInt32(count)
                    _ = deflate(&stream, Z_FINISH)
                }
            }
            return Array(output.prefix(count - Int(stream.avail_out)))
        case .zstd:
            var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
            let count = ZSTD_compress(&output, output.count, bytes, bytes.count, 3)
            return Array(output.prefix(count))
        }
    }

    private func unpack(_ bytes: [UInt8], _ coding: ContentCoding, pieces: Int, limit: Int = 1 << 24) throws -> [UInt8]
    {
        var body = try #require(BodyDecompression(coding, limit: limit))
        var rest = bytes[...]
        while !rest.isEmpty {
            try body.add(Array(rest.prefix(pieces)))
            rest = rest.dropFirst(pieces)
        }
        return try body.finish()
    }

    @Test(arguments: ContentCoding.allCases) func whatWasPackedComesBack(coding: ContentCoding) throws {
        let whole = packed(plain, coding)
        for pieces in [1 << 20, 1000, 7] { #expect(try unpack(whole, coding, pieces: pieces) == plain) }
        // Two one after the other, as logs are joined; zlib's own form knows no members.
        if coding != .deflate { #expect(try unpack(whole + whole, coding, pieces: 999) == plain + plain) }
    }

    @Test(arguments: [ContentCoding.gzip, .deflate, .zstd]) func aBombIsStopped(coding: ContentCoding) {
        let zeros = packed([UInt8](repeating: 0, count: 50 << 20), coding)
        #expect(zeros.count < 1 << 20)
        #expect(throws: BodyDecompression.Failure.tooLarge) {
            _ = try unpack(zeros, coding, pieces: 1 << 20, limit: 1 << 20)
        }
    }

    @Test(arguments: [ContentCoding.gzip, .deflate, .zstd]) func damageIsNamed(coding: ContentCoding) {
        let whole = packed(plain, coding)
        #expect(throws: BodyDecompression.Failure.damaged("it ends in the middle")) {
            _ = try unpack(Array(whole.dropLast(5)), coding, pieces: 1000)
        }
        #expect(throws: BodyDecompression.Failure.self) { _ = try unpack(plain, coding, pieces: 1000) }
        var bent = whole
        for place in stride(from: 0, to: bent.count, by: max(1, bent.count / 200)) {
            bent[place] ^= 0x55
            // Unpacks to something else or fails: never a trap.
            _ = try? unpack(bent, coding, pieces: 333)
            bent[place] ^= 0x55
        }
    }

    @Test func codingsAreReadFromTheHeader() {
        #expect(ContentCoding(header: nil) == .identity)
        #expect(ContentCoding(header: " GZIP") == .gzip)
        #expect(ContentCoding(header: "br") == nil)
        #expect(ContentCoding(header: "gzip, zstd") == nil)
    }
}
