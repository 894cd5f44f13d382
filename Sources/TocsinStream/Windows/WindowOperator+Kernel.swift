internal import CTocsinKernels

extension WindowOperator {
    /// Which hand-written bodies of the kernels to use; all give the same bits.
    package enum Kernel: CaseIterable, Sendable {
        case portable, avx2, avx512

        /// The fastest one this processor has.
        package static var best: Kernel { allCases.last { $0.isAvailable } ?? .portable }

        /// Whether this processor can run it.
        package var isAvailable: Bool { body.rawValue <= tk_window_body().rawValue }

        var body: tk_body {
            switch self {
            case .portable: tk_body_portable
            case .avx2: tk_body_avx2
            case .avx512: tk_body_avx512
            }
        }
    }
}
