internal import CZstd

/// Unpacks Zstandard (RFC 8878), several frames one after the other included, from bytes that come in any pieces.
///
/// Not thread-safe: one reader.
public final class ZstdInflater {
    private let stream: OpaquePointer
    private var input: [UInt8] = []
    private var consumed = 0
    private var holdsOutput = false
    /// True where the input may end: a frame is complete.
    public private(set) var isComplete = false
    /// Frames that ask for more memory than this to be unpacked are refused: 2^23 bytes, what RFC 8878 recommends.
    private static let windowLog: Int32 = 23

    public init?() {
        guard let stream = ZSTD_createDStream() else { return nil }
        self.stream = stream
        guard ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, Self.windowLog)) == 0 else {
            ZSTD_freeDStream(stream)
            return nil
        }
    }

    deinit { ZSTD_freeDStream(stream) }

    public var needsInput: Bool { consumed == input.count && !holdsOutput }

    public func feed(_ bytes: [UInt8]) {
        input = bytes
        consumed = 0
    }

    /// Unpacks what is there into `output` and returns the count of bytes.
    /// - Parameter damage: set to the reason where the input is no Zstandard.
    public func unpack(into output: UnsafeMutableBufferPointer<UInt8>, damage: inout String?) -> Int {
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        while target.pos < target.size, damage == nil, !needsInput {
            let state = input.withUnsafeBytes { bytes in
                var source = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: consumed)
                defer { consumed = source.pos }
                return ZSTD_decompressStream(stream, &target, &source)
            }
            holdsOutput = target.pos == target.size
            if ZSTD_isError(state) != 0 {
                damage = String(cString: ZSTD_getErrorName(state))
            } else {
                isComplete = state == 0
            }
        }
        return target.pos
    }
}
