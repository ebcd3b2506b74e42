-- Accounting identities within a row.
select store_id, business_date, origin
from {{ ref('store_days') }}
where
    review_items_waiting + review_items_unbilled + review_items_decided <> review_items
    or reviewed_share <> review_items_decided / nullif(review_items, 0)
    or (orders = 0 and (value_fen <> 0 or items <> 0 or mean_order_fen is not null))
    or abs(mean_order_fen * orders - value_fen) >= 1
    or items < orders
