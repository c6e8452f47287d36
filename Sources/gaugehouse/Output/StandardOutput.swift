import Foundation
import Gateway

/// Writes to standard output.
///
/// - Throws: when not all of it is taken: a full disk must not look like a short answer, which is what `print` makes of it.
func writeOutput(_ text: String, terminator: String = "\n") throws(GatewayError) {
    do {
        try FileHandle.standardOutput.write(contentsOf: Data((text + terminator).utf8))
    } catch {
        throw GatewayError("cannot write the output: \(error.localizedDescription)", .inputOutput)
    }
}
