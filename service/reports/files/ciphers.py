"""The two ciphers of report files, from Tink: one for the files, one for their keys."""

from functools import cache
from typing import Protocol, cast

import tink
from tink import TinkError, aead, proto_keyset_format, secret_key_access, streaming_aead
from tink.proto import aes_gcm_pb2, tink_pb2

from service.reports.files.errors import FileDamaged

_AES_GCM = "type.googleapis.com/google.crypto.tink.AesGcmKey"


class Cipher(Protocol):
    """Encryption of short texts, bound to associated data. Both raise TinkError."""

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes: ...


def wrapping_cipher(key: bytes) -> Cipher:
    """AES-256-GCM under a given key, for wrapping the keys of files."""
    _register()
    keyset = tink_pb2.Keyset(primary_key_id=1)
    keyset.key.add(
        key_id=1,
        status=tink_pb2.ENABLED,
        # Which key wrapped is stored beside the wrapped key, so no prefix need say it.
        output_prefix_type=tink_pb2.RAW,
        key_data=tink_pb2.KeyData(
            type_url=_AES_GCM,
            value=aes_gcm_pb2.AesGcmKey(key_value=key).SerializeToString(),
            key_material_type=tink_pb2.KeyData.SYMMETRIC,
        ),
    )
    handle = proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return cast(Cipher, handle.primitive(aead.Aead))


def new_file_key() -> bytes:
    """A fresh key for one file, with the name of its algorithm. Secret: wrap it."""
    _register()
    template = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB
    handle = tink.new_keyset_handle(template)
    return cast(bytes, proto_keyset_format.serialize(handle, secret_key_access.TOKEN))


def file_cipher(file_key: bytes) -> streaming_aead.StreamingAead:
    """The cipher of one file. Raises FileDamaged if the key is none that `new_file_key` made."""
    _register()
    try:
        handle = proto_keyset_format.parse(file_key, secret_key_access.TOKEN)
        return handle.primitive(streaming_aead.StreamingAead)
    except TinkError:
        raise FileDamaged("the key of a file is no key of this service") from None


@cache
def _register() -> None:
    aead.register()
    streaming_aead.register()
