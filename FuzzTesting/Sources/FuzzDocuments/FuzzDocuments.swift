import FuzzDriver
import FuzzProperties

@_cdecl("FuzzDocuments_main")
func start(_ count: CInt, _ arguments: FuzzArguments) -> CInt { fuzz(.documents, count, arguments) }
